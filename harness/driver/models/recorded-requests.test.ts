import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { HEADER_BYTES, Kind, readId, Status } from "../../../transports/contract/frame.ts";
import type { BlockingConnection, Connection } from "../../../transports/contract/transport.ts";
import { EventServer } from "../../peer/event-server.ts";
import { Replayer } from "../../peer/replayer.ts";
import type { Load, LoadOrder } from "../../process/load-messages.ts";
import { RpcClient } from "../../rpc/client.ts";
import { buildFrame, copyOf } from "../../rpc/message.ts";
import { groupsOf, hasResponses, readRecorded } from "../../rpc/recorded.ts";
import { figuresOf } from "../figures.ts";
import type { Wire } from "./model.ts";
import type { Replay } from "./recorded-requests.ts";
import { WorkloadClient } from "./workload-client.ts";

const folder = mkdtempSync(join(tmpdir(), "ipcmark-replay-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LOAD: Load = {
  payloadBytes: 64,
  inFlight: 1,
  clients: 1,
  ratePerSecond: null,
  arrivals: "fixed",
  batched: false,
  seed: 5,
};
const COUNT = 1000;
const request = (index: number): string =>
  JSON.stringify({ method: index % 4 === 0 ? "write" : "read", text: "é".repeat(index % 97), index });
const response = (index: number): string => JSON.stringify({ result: "x".repeat((index * 7) % 211), index });

function recordedFile(hasPairs: boolean): { readonly path: string; readonly text: string } {
  const path = join(folder, `${hasPairs}.ndjson`);
  const lineOf = (_: unknown, index: number): string =>
    hasPairs ? `{"request":${request(index)},"response":${response(index)}}` : request(index);
  const text = Array.from({ length: COUNT }, lineOf).map((line) => `${line}\n`);
  writeFileSync(path, text.join(""));
  return { path, text: text.join("") };
}

function replayOf(path: string): Replay {
  const file = readRecorded(path);
  return { file, groups: groupsOf(file, "method") };
}

const orderOf = (messages: number, ratePerSecond: number | null = null): LoadOrder => ({
  messages,
  ratePerSecond,
  seed: 9,
  startNs: String(process.hrtime.bigint()),
});

/** Server of a peer in this process, with what its transport received and may change of its replies. */
function serverOf(replay: Replay, change: (reply: Uint8Array) => Uint8Array = (reply) => reply) {
  const received: Uint8Array[] = [];
  const abilities = hasResponses(replay.file) ? { replayer: new Replayer(replay.file) } : {};
  const server = new EventServer(() => {}, 1024 * 1024, abilities);
  let deliver: (reply: Uint8Array) => void = () => {};
  const connection = {
    send(reply: Uint8Array) {
      deliver(change(copyOf(reply)));
      return true;
    },
    resume() {},
    pause() {},
  } as unknown as Connection;
  server.onOpen(connection);
  const take = (frame: Uint8Array): boolean => {
    received.push(copyOf(frame, HEADER_BYTES));
    server.onMessage(copyOf(frame), connection);
    return true;
  };
  const event = (): Wire => {
    const client = new RpcClient(64);
    deliver = (reply) => setImmediate(() => client.onMessage(reply));
    client.onOpen({ send: take } as unknown as Connection);
    return { face: "event", client };
  };
  const blocking = (): Wire => {
    const replies: Uint8Array[] = [];
    deliver = (reply) => replies.push(reply);
    const connection: BlockingConnection = {
      send: take,
      receive(into) {
        const reply = replies.shift();
        if (reply === undefined) return -1;
        into.set(reply);
        return reply.length;
      },
      [Symbol.dispose]() {},
    };
    return { face: "blocking", connection };
  };
  return { received, event, blocking };
}

const hashOf = (parts: readonly (Uint8Array | string)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

it.for(["event", "blocking"] as const)(
  "sends 1,000 recorded messages over the %s face: the hash of what the server received is that of the file",
  async (face) => {
    const { path, text } = recordedFile(false);
    const replay = replayOf(path);
    const { received, [face]: open } = serverOf(replay);
    const client = new WorkloadClient(open(), LOAD, 0, 64, replay);
    const window = await client.window(orderOf(COUNT));
    expect([window.problem, window.messages, window.lost, window.corrupted]).toEqual([undefined, COUNT, 0, 0]);
    const hash = hashOf(received.flatMap((body) => [body, "\n"]));
    expect(hash).toBe(hashOf([text]));
    expect(hash).toBe(replay.file.sha256);
  },
);

it.for([
  ["event", null],
  ["blocking", null],
  ["event", 50_000],
  ["blocking", 50_000],
] as const)(
  "gets the recorded responses over the %s face at a rate of %s, and groups the latencies",
  async ([face, rate]) => {
    const replay = replayOf(recordedFile(true).path);
    const { received, [face]: open } = serverOf(replay);
    const client = new WorkloadClient(open(), { ...LOAD, ratePerSecond: rate }, 0, 64, replay);
    const window = await client.window(orderOf(COUNT, rate));
    expect([window.problem, window.messages, window.lost, window.corrupted]).toEqual([undefined, COUNT, 0, 0]);
    expect(hashOf(received)).toBe(hashOf(Array.from({ length: COUNT }, (_, index) => request(index))));
    const { groups } = figuresOf({ ...window, groupNames: replay.groups?.names ?? [] }, null, false);
    expect(groups?.map(({ name, latencyNs }) => [name, latencyNs.count])).toEqual([
      ["read", 750],
      ["write", 250],
    ]);
  },
);

it.for(["event", "blocking"] as const)("counts a response that differs in one byte over the %s face", async (face) => {
  const replay = replayOf(recordedFile(true).path);
  let replies = 0;
  const { [face]: open } = serverOf(replay, (reply) => {
    if (++replies !== 7) return reply;
    // A whole frame with a valid checksum, whose body has the same length and ends.
    const body = copyOf(reply, HEADER_BYTES);
    const middle = body.length >> 1;
    body[middle] = (body[middle] as number) ^ 1;
    return buildFrame(Kind.reply, readId(reply), 0, Status.ok, body);
  });
  const window = await new WorkloadClient(open(), LOAD, 0, 64, replay).window(orderOf(20));
  expect(window.corrupted).toBe(1);
});

it("is refused by the server where a request differs from the recorded one", () => {
  const { file } = replayOf(recordedFile(true).path);
  const answered = (body: string, number: number): number => {
    const frame = new Uint8Array(HEADER_BYTES + Buffer.byteLength(body));
    frame.set(Buffer.from(body), HEADER_BYTES);
    frame[6] = number & 0xff;
    frame[7] = number >>> 8;
    return new Replayer(file).answer(frame)[6] as number;
  };
  expect([answered(request(700), 700), answered(request(700), 701), answered("1", 5000)]).toEqual([0, 5, 5]);
});

it("gives each of several clients its part, all messages together", async () => {
  const replay = replayOf(recordedFile(false).path);
  const bodies: string[] = [];
  for (const client of [0, 1, 2]) {
    const { received, event } = serverOf(replay);
    await new WorkloadClient(event(), { ...LOAD, clients: 3 }, client, 64, replay).window(orderOf(334));
    bodies.push(...received.map((body) => Buffer.from(body).toString()));
  }
  expect(new Set(bodies).size).toBe(COUNT);
  expect(bodies).toHaveLength(1002);
});
