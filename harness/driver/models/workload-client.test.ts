import { afterEach, expect, it, vi } from "vitest";
import { Method } from "../../../scenarios/check.ts";
import { HEADER_BYTES, readMethod, Status } from "../../../transports/contract/frame.ts";
import type { BlockingConnection, Connection } from "../../../transports/contract/transport.ts";
import { turnIntoReply } from "../../peer/reply.ts";
import type { Load, LoadOrder } from "../../process/load-messages.ts";
import { RpcClient } from "../../rpc/client.ts";
import { type ClientWindow, together } from "./client-window.ts";
import { drawParts } from "./mix.ts";
import type { Wire } from "./model.ts";
import { WorkloadClient } from "./workload-client.ts";

const LOAD: Load = {
  payloadBytes: 64,
  inFlight: 1,
  clients: 1,
  ratePerSecond: null,
  arrivals: "fixed",
  batched: false,
  seed: 5,
};
const MIX = [
  { bytes: 64, share: 0.75 },
  { bytes: 3000, share: 0.25 },
];

/** Returns the reply to the request of a number, from 0; undefined when there is none. */
type Server = (number: number, reply: Uint8Array) => Uint8Array | undefined;

function eventWire(
  server: Server,
  deliver: (number: number, reply: () => void) => void = (_, reply) => setImmediate(reply),
): Wire {
  const client = new RpcClient(64);
  let requests = 0;
  const connection = {
    send(frame: Uint8Array) {
      const number = requests++;
      const reply = Uint8Array.from(frame);
      turnIntoReply(reply, Status.ok);
      const sent = server(number, reply);
      if (sent !== undefined) deliver(number, () => client.onMessage(sent));
      return true;
    },
  } as unknown as Connection;
  client.onOpen(connection);
  return { face: "event", client };
}

function blockingWire(server: Server): Wire {
  const replies: Uint8Array[] = [];
  let requests = 0;
  const connection: BlockingConnection = {
    send(frame) {
      const reply = Uint8Array.from(frame);
      turnIntoReply(reply, Status.ok);
      const sent = server(requests++, reply);
      if (sent !== undefined) replies.push(sent);
      return true;
    },
    receive(into) {
      const reply = replies.shift();
      if (reply === undefined) return -1;
      into.set(reply);
      return reply.length;
    },
    [Symbol.dispose]() {},
  };
  return { face: "blocking", connection };
}

function orderOf(messages: number, ratePerSecond: number | null = null): LoadOrder {
  return { messages, ratePerSecond, seed: 9, startNs: String(process.hrtime.bigint()) };
}

function damaged(reply: Uint8Array): Uint8Array {
  reply[HEADER_BYTES + 9] = (reply[HEADER_BYTES + 9] as number) ^ 1;
  return reply;
}

afterEach(() => {
  vi.useRealTimers();
});

it.for([
  { parts: [70, 25, 5], count: 1000 },
  { parts: [70, 25, 5], count: 7 },
  { parts: [1, 99], count: 50 },
  { parts: [33, 33, 34], count: 101 },
  { parts: [100], count: 3 },
])("draws $count sizes of $parts % with these shares, to one message, in an order of the seed", ({ parts, count }) => {
  const mix = parts.map((percent, bytes) => ({ bytes, share: percent / 100 }));
  for (let seed = 0; seed < 50; seed++) {
    const drawn = drawParts(mix, count, seed);
    expect(drawn).toHaveLength(count);
    mix.forEach(({ share }, part) => {
      const found = drawn.filter((each) => each === part).length;
      expect(Math.abs(found - share * count)).toBeLessThan(1);
    });
    expect(drawParts(mix, count, seed)).toEqual(drawn);
  }
  if (parts.length > 1 && count > 10) expect(drawParts(mix, count, 1)).not.toEqual(drawParts(mix, count, 2));
});

it.for([
  ["event", eventWire],
  ["blocking", blockingWire],
] as const)(
  "sends a mix over the %s face, asks for work except in a warm-up, and verifies each reply",
  async ([, wireOf]) => {
    const sizes: number[] = [];
    const methods = new Set<number>();
    const wire = wireOf((_, reply) => {
      sizes.push(reply.length - HEADER_BYTES);
      methods.add(readMethod(reply));
      return reply;
    });
    const client = new WorkloadClient(wire, { ...LOAD, mix: MIX, workMicros: 7 }, 0, 64);
    for (const rate of [null, 20_000]) {
      sizes.length = 0;
      const window = await client.window(orderOf(40, rate));
      expect([window.problem, window.messages, window.lost, window.corrupted]).toEqual([undefined, 40, 0, 0]);
      expect(sizes.toSorted((a, b) => a - b)).toEqual([...Array(30).fill(64), ...Array(10).fill(3000)]);
      expect(window.lateness?.length).toBe(rate === null ? undefined : 40);
    }
    expect([...methods]).toEqual([Method.work]);
    methods.clear();
    const warmUp = await client.window({ ...orderOf(40), withoutWork: true });
    expect([warmUp.messages, ...methods]).toEqual([40, Method.echo]);
  },
);

it.for([
  ["event", eventWire],
  ["blocking", blockingWire],
] as const)("counts a damaged reply over the %s face", async ([, wireOf]) => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  const wire = wireOf((number, reply) => (number === 0 ? damaged(reply) : reply));
  const found = new WorkloadClient(wire, LOAD, 0, 64).window(orderOf(8));
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(2500);
  const window = await found;
  expect(window.corrupted).toBeGreaterThan(0);
});

it("counts a reply that never comes", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  const wire = eventWire((number, reply) => (number === 0 ? undefined : reply));
  const found = new WorkloadClient(wire, LOAD, 0, 64).window(orderOf(8));
  vi.advanceTimersByTime(2500);
  const window = await found;
  expect([window.lost, window.problem]).toEqual([1, "a reply did not come within 2000 ms"]);
});

it("charges a stall of the server to every request that it delays, from the intended start", async () => {
  const held: (() => void)[] = [];
  let isHolding = false;
  // Nothing is answered for 60 ms from the tenth request on; at 500/s that is the time of 30 more.
  const wire = eventWire(
    (_, reply) => reply,
    (number, reply) => {
      if (number === 10) {
        isHolding = true;
        setTimeout(() => {
          isHolding = false;
          for (const each of held) each();
        }, 60);
      }
      if (isHolding) held.push(reply);
      else setImmediate(reply);
    },
  );
  const client = new WorkloadClient(wire, { ...LOAD, ratePerSecond: 500 }, 0, 64);
  const { samples, messages } = await client.window(orderOf(50, 500));
  expect(messages).toBe(50);
  expect(samples.filter((ns) => ns > 20e6).length).toBeGreaterThanOrEqual(10);
});

it("gives each of several clients its own instants", async () => {
  const started: number[] = [];
  for (const client of [0, 1]) {
    const load = { ...LOAD, clients: 2, ratePerSecond: 200 };
    const order = orderOf(1, 200);
    const window = await new WorkloadClient(
      eventWire((_, reply) => reply),
      load,
      client,
      64,
    ).window(order);
    started.push(window.elapsedNs);
  }
  // Half of the gap of one client later: 5 of 10 ms.
  expect(started[1]).toBeGreaterThan(5e6);
});

it("is refused as a load where at least half of its clients were late, and not for a single one of several", () => {
  const of = (refused?: string): ClientWindow => ({
    ...{ messages: 1, elapsedNs: 1, samples: new Float64Array(1), startedNs: 0n },
    ...{ lost: 0, duplicated: 0, reordered: 0, corrupted: 0 },
    ...(refused === undefined ? {} : { refused }),
  });
  expect(together([of("late")]).refused).toBe("late");
  expect(together([of(), of("late")]).refused).toBe("late");
  expect(together([of(), of("late"), of()]).refused).toBeUndefined();
});
