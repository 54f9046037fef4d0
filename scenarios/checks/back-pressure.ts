import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { bindChecksum, HEADER_BYTES, Kind, writeHeader } from "../../transports/contract/frame.ts";
import type { Condition } from "../check.ts";
import { type Check, type CheckClient, type CheckContext, Method, type Peer } from "../check.ts";
import { canFreeze, oneWay, ownProcess, pushesBack, reliable, replies, reportsTotals } from "../kit/conditions.ts";
import { eventually, expect } from "../kit/expect.ts";
import { bodyUpTo, pattern } from "../kit/messages.ts";
import { collectTotals, residentBytes, streamTotals } from "../kit/peer.ts";

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 65_000;
/** More than any buffer between two processes holds: if this much is taken without a refusal, there is no limit. */
const BOUND_BYTES = 160 * MIB;
/** Duration from which a refusal counts, ms; a shorter one only means that somebody is emptying a full buffer. */
const STILL_MS = 150;

const HOLDS_SENDER_BACK: readonly Condition[] = [replies, oneWay, reliable, pushesBack];

export const slowServer: Check = {
  id: "back-pressure/server",
  title: "A server that stops reading makes its sender wait; memory stays bounded and nothing is lost",
  why: "A queue that grows while the reader is slow ends in a crash that loses everything in it.",
  typicalMs: 375,
  timeoutMs: 60_000,
  needs: [...HOLDS_SENDER_BACK, ownProcess, canFreeze, reportsTotals],
  async run(context) {
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    await streamTotals(client);
    const memory = watchMemory(peer);
    await peer.freeze();
    const frame = new Frame(context, Kind.oneWay);
    const taken = await fill(client, frame);
    const grown = memory.grown("while the server did not read");
    const waiting = client.oneWay(frame.body, taken);
    peer.thaw();
    await waiting;
    const totals = await collectTotals(client, taken + 1);
    expect(totals.received === taken + 1, `${taken + 1} messages were taken and ${totals.received} arrived`);
    expect(totals.duplicated + totals.corrupted === 0, "some arrived twice or damaged");
    memory.grown("when the server read again");
    context.note("takenBytes", taken * frame.bytes.length);
    context.note("senderGrewBytes", grown.client);
  },
};

export const slowClient: Check = {
  id: "back-pressure/client",
  title: "A client that stops reading its replies stops the server from taking more; nothing is lost",
  why: "A server that keeps reading from a client that takes no replies fills its own memory with them.",
  typicalMs: 500,
  timeoutMs: 60_000,
  needs: [
    ...HOLDS_SENDER_BACK,
    ({ maxInFlight }) => maxInFlight >= 16 || `only ${maxInFlight} requests may be outstanding`,
  ],
  async run(context) {
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    await client.request(pattern(16, 1));
    const memory = watchMemory(peer);
    const strays = client.unexpected;
    client.connection.pause();
    // The ids belong to no request of the client, so it counts every reply as unexpected.
    const taken = await fill(client, new Frame(context, Kind.request));
    const grown = memory.grown("while the client took no replies");
    // One may follow a pause. The refusal alone proves too little, since a busy machine can look like a full buffer.
    const delivered = client.unexpected - strays;
    expect(delivered <= 1, `${delivered} replies were delivered after the client had paused`);
    client.connection.resume();
    await eventually(`${taken} replies`, () => client.unexpected - strays + client.corrupted >= taken, 20_000);
    expect(client.corrupted === 0, `${client.corrupted} replies were damaged`);
    await delay(20);
    expect(client.unexpected - strays === taken, `${taken} requests got ${client.unexpected - strays} replies`);
    context.note("takenBytes", taken * (HEADER_BYTES + MESSAGE_BYTES));
    context.note("serverGrewBytes", grown.server);
    context.note("clientGrewBytes", grown.client);
  },
};

/** Watches the memory of both sides, since either may hold the messages. @throws CheckFailure if it grows too much */
function watchMemory(peer: Peer): { grown(when: string): { readonly client: number; readonly server: number } } {
  const sides = { client: process.pid, server: peer.pid } as const;
  const resident = (): { client: number; server: number } => ({
    client: residentBytes(sides.client) ?? 0,
    server: residentBytes(sides.server) ?? 0,
  });
  const before = resident();
  return {
    grown(when) {
      const now = resident();
      const by = { client: Math.max(0, now.client - before.client), server: Math.max(0, now.server - before.server) };
      for (const side of ["client", "server"] as const) {
        expect(by[side] < BOUND_BYTES, `the ${side} grew by ${Math.round(by[side] / MIB)} MiB ${when}`);
      }
      return by;
    },
  };
}

/** A message that is sent repeatedly, each time with a new number. */
class Frame {
  readonly bytes: Uint8Array;
  readonly body: Buffer;
  readonly #kind: Kind;
  readonly #crc: number;

  constructor({ transport }: CheckContext, kind: Kind) {
    this.body = pattern(bodyUpTo(MESSAGE_BYTES, transport.capabilities), 1);
    this.bytes = new Uint8Array(HEADER_BYTES + this.body.length);
    this.bytes.set(this.body, HEADER_BYTES);
    this.#kind = kind;
    this.#crc = crc32(this.body);
  }

  numbered(id: number): Uint8Array {
    writeHeader(this.bytes, id, this.#kind, Method.echo, 0, this.body.length, bindChecksum(this.#crc, id));
    return this.bytes;
  }
}

/** Sends until nothing more is taken. @returns the number taken @throws CheckFailure at `BOUND_BYTES` */
async function fill(client: CheckClient, frame: Frame): Promise<number> {
  let taken = 0;
  let refusedSinceMs = Number.POSITIVE_INFINITY;
  while (performance.now() - refusedSinceMs < STILL_MS || refusedSinceMs === Number.POSITIVE_INFINITY) {
    if (client.connection.send(frame.numbered(taken))) {
      taken++;
      refusedSinceMs = Number.POSITIVE_INFINITY;
      const bytes = taken * frame.bytes.length;
      expect(bytes < BOUND_BYTES, `${Math.round(bytes / MIB)} MiB were taken although the other side does not read`);
      // Lets the event loop turn: some transports deliver in the next turn, and would otherwise seem full too soon.
      if (taken % 16 === 0) await delay(0);
    } else {
      if (refusedSinceMs === Number.POSITIVE_INFINITY) refusedSinceMs = performance.now();
      await delay(5);
    }
  }
  return taken;
}
