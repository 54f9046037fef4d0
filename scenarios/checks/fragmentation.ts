import { setTimeout as delay } from "node:timers/promises";
import { Kind } from "../../transports/contract/frame.ts";
import type { Address, RawClient } from "../../transports/contract/transport.ts";
import type { Check, CheckClient, CheckContext } from "../check.ts";
import { hasRawClient, replies, reportsTotals } from "../kit/conditions.ts";
import { CheckFailure, expect } from "../kit/expect.ts";
import { frameOf, pattern } from "../kit/messages.ts";
import { collectTotals, streamTotals } from "../kit/peer.ts";

const BODY_BYTES = 20;
/** Pause, ms, during which the server probably reads only the first part; the result does not depend on it. */
const GAP_MS = 1;
const TOGETHER = 50;
/** Looks for a message behind a known prefix, and the pause between two, ms. A busy machine makes them longer. */
const LOOKS = 200;
const LOOK_MS = 5;

type Wire = (message: Uint8Array) => Uint8Array;

const prefixed =
  (bigEndian: boolean): Wire =>
  (message) => {
    const bytes = Buffer.alloc(4 + message.length);
    if (bigEndian) bytes.writeUInt32BE(message.length);
    else bytes.writeUInt32LE(message.length);
    bytes.set(message, 4);
    return bytes;
  };
/** Known length prefixes: ours, and the one of Python's `multiprocessing.connection`. */
const WIRES: readonly Wire[] = [prefixed(false), prefixed(true)];

export const fragmentation: Check = {
  id: "fragmentation",
  title: "Frames arrive as the same messages when they are cut at any byte, sent byte by byte, or several at once",
  why: "A stream has no boundaries: code that takes one read for one message works until the machine is busy.",
  sharesPeer: true,
  typicalMs: 450,
  needs: [
    replies,
    reportsTotals,
    hasRawClient,
    ({ boundaries }) => boundaries === "prefix" || `the ${boundaries} keeps message boundaries`,
  ],
  async run(context) {
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    const rawClient = await context.connectRaw(peer.address);
    const wire = await learnWire(context, client, peer.address);
    await streamTotals(client);
    let sequence = 0;
    const next = (): Uint8Array => wire(oneWayFrame(sequence++));
    const length = next().length;
    sequence = 0;
    for (let at = 1; at < length; at++) await inParts(rawClient, next(), [at]);
    const splits = sequence;
    await inParts(
      rawClient,
      next(),
      Array.from({ length: length - 1 }, (_, at) => at + 1),
    );
    await rawClient.write(Buffer.concat(Array.from({ length: TOGETHER }, next)));
    // Cut inside the prefix of the second message, so that a read ends before that message has begun.
    await inParts(rawClient, Buffer.concat([next(), next(), next()]), [length + 2]);
    const totals = await collectTotals(client, sequence);
    expect(totals.corrupted === 0, `${totals.corrupted} of ${sequence} messages arrived damaged`);
    expect(totals.received === sequence, `${sequence} messages were sent and ${totals.received} arrived`);
    expect(totals.duplicated + totals.reordered === 0, "messages came twice or out of turn");
    context.note("splitPoints", splits);
  },
};

export const boundaryKeeper: Check = {
  id: "boundary-keeper",
  title:
    "Boundaries are kept as claimed: the kernel makes each raw write a message, a library takes none with our prefix",
  why: "Programs in other languages must write the same boundaries; a wrong record makes them incompatible.",
  sharesPeer: true,
  typicalMs: 325,
  needs: [
    replies,
    reportsTotals,
    hasRawClient,
    ({ boundaries }) =>
      boundaries !== "prefix" ||
      "its messages have a length prefix, so the check fragmentation examines their boundaries",
  ],
  async run(context) {
    const { boundaries } = context.transport.capabilities;
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    const rawClient = await context.connectRaw(peer.address);
    await streamTotals(client);
    const wire: Wire = boundaries === "kernel" ? (message) => message : prefixed(false);
    for (let sequence = 0; sequence < 3; sequence++) {
      await rawClient.write(wire(oneWayFrame(sequence))).catch(() => undefined);
    }
    // Watches for messages that must not arrive. A short time may miss a fault, but never reports a false one.
    const totals = await collectTotals(client, 3, boundaries === "kernel" ? 2000 : 300);
    if (boundaries === "kernel") {
      expect(totals.received === 3, `3 writes were made below the framing, and ${totals.received} messages arrived`);
    } else {
      expect(totals.received === 0, "a message behind our own prefix arrived, so no library keeps the boundaries");
    }
  },
};

function oneWayFrame(sequence: number): Uint8Array {
  return frameOf(Kind.oneWay, sequence, pattern(BODY_BYTES, sequence));
}

/** Returns the prefix of this stream: the first known one with which complete messages arrive. */
async function learnWire(context: CheckContext, client: CheckClient, address: Address): Promise<Wire> {
  for (const wire of WIRES) {
    await streamTotals(client);
    const rawClient = await context.connectRaw(address);
    await rawClient.write(wire(oneWayFrame(0))).catch(() => undefined);
    for (let look = 0; look < LOOKS; look++) {
      if ((await streamTotals(client)).received > 0) return wire;
      await delay(LOOK_MS);
    }
  }
  throw new CheckFailure(
    "boundaries are a prefix, yet a plain message behind a u32 length, of either byte order, did not arrive; " +
      'if each message is encoded or has other headers, state boundaries: "library"',
  );
}

/** Writes each part after the system has taken the part before it. */
async function inParts(rawClient: RawClient, bytes: Uint8Array, cuts: readonly number[]): Promise<void> {
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    await rawClient.write(bytes.subarray(from, cut));
    from = cut;
    await delay(GAP_MS);
  }
}
