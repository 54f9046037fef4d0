import { existsSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HEADER_BYTES, Kind } from "../../../transports/contract/frame.ts";
import type { Address, Transport } from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { unix } from "../../../transports/sockets/unix.ts";
import { ownFolder } from "../../../transports/testing/own-folder.ts";
import { languageObstacle, programFor } from "../../cli/peers.ts";
import { hostPeer } from "../../driver/peers/hosted-peer.ts";
import { PythonClient } from "../../driver/peers/python-client.ts";
import type { RunningPeer } from "../../driver/peers/running-peer.ts";
import type { DriverStart } from "../../process/messages.ts";
import { startPython } from "../../testing/python-peer.ts";

const LISTED = [
  ...["unix", "tcp", "fifo", "python-connection", "posix-mq", "shm/semaphore"],
  ...["zeromq/req-rep", "zeromq/dealer-router", "grpc/unary", "grpc/stream", "file-drop/poll", "file-drop/watch"],
];
/** Ids, one of each kind of client; with IPCMARK_TEST_ALL every one. */
const SPARED =
  process.env["IPCMARK_TEST_ALL"] === undefined ? ["tcp", "zeromq/req-rep", "grpc/unary", "file-drop/watch"] : [];
const transports: Transport[] = [];
for (const registration of REGISTRY.filter(({ id }) => LISTED.includes(id))) {
  const transport = await registration.load();
  if ((await transport.probe()).available) transports.push(transport);
}

const own = ownFolder();
const { ended } = own;

async function addressOf(transport: Transport): Promise<Address> {
  const place = { directory: own.directory, prefix: `ipcmark-${process.pid.toString(16).padStart(16, "0")}` };
  const address = await transport.allocate(place);
  ended.push(() => transport.sweep(address));
  return address;
}

async function connect(transport: Transport, peer: Pick<RunningPeer, "address">): Promise<PythonClient> {
  const [mode] = transport.capabilities.modes;
  const start: DriverStart = {
    type: "start",
    transport: { id: transport.id, module: null },
    mode,
    place: { directory: own.directory, prefix: "" },
    peerPin: [],
    peerLanguage: "python",
    clientLanguage: "python",
    clientProgram: programFor(transport, "python", "clients"),
    work: { kind: "measure", turns: [] },
  };
  const pids: number[] = [];
  const client = await PythonClient.start(transport, start, peer as RunningPeer, (pid) => pids.push(pid));
  ended.push(() => expect(pids.filter((pid) => existsSync(`/proc/${pid}/stat`))).toEqual([]));
  return client;
}

test("every mechanism that was promised to a Python programmer has a client", () => {
  expect(transports.filter((each) => languageObstacle(each, "python", "clients") !== undefined)).toEqual([]);
  const others = transports.map(({ id }) => id).filter((id) => id !== "posix-mq" && id !== "shm/semaphore");
  expect(others).toEqual(expect.arrayContaining(LISTED.filter((id) => id !== "posix-mq" && id !== "shm/semaphore")));
});

describe.each(transports.filter(({ id }) => !SPARED.includes(id)))("Python on both ends of $id", (transport) => {
  test("measures round trips and one-way messages, every one verified, and leaves nothing", async () => {
    const { modes, patterns, maxMessageBytes } = transport.capabilities;
    const peer = await startPython(transport, modes[0], await addressOf(transport), ended);
    const client = await connect(transport, peer);
    const messages = transport.id === "file-drop/poll" ? 3 : 30;
    for (const payloadBytes of [0, 64, Math.min(70_000, maxMessageBytes - HEADER_BYTES)]) {
      const found = await client.prepare(peer, { model: "ping-pong", payloadBytes }).window(messages);
      expect(found).toMatchObject({ messages, lost: 0, corrupted: 0 });
      expect(found.problem).toBeUndefined();
      expect(found.samples?.length).toBe(messages);
      expect(found.samples?.every((ns) => ns > 1000 && ns <= found.elapsedNs)).toBe(true);
    }
    if (patterns.includes("one-way")) {
      const found = await client.prepare(peer, { model: "stream", payloadBytes: 64 }).window(400);
      expect(found).toMatchObject({ messages: 400, lost: 0, duplicated: 0, reordered: 0, corrupted: 0, samples: null });
      expect(found.elapsedNs).toBeGreaterThan(0);
    }
    const used = await client.usages(false, true);
    expect(Math.min(used.own.cpuMicros, used.server?.cpuMicros ?? 0)).toBeGreaterThan(0);
    await client.close(modes[0] !== "event");
    await peer.stop();
    expect(await transport.residue(peer.address)).toEqual([]);
  });
});

test("a Python client is served by a server on Node, whose report on a stream it gets", async () => {
  const address = await addressOf(unix);
  const reference = { id: "unix", module: null };
  const peer = await hostPeer(unix, { type: "start", transport: reference, mode: "event", address, key: null });
  const client = await connect(unix, peer);
  expect(await client.prepare(peer, { model: "ping-pong", payloadBytes: 5000 }).window(50)).toMatchObject({
    ...{ messages: 50, lost: 0, corrupted: 0 },
  });
  expect(await client.prepare(peer, { model: "stream", payloadBytes: 64 }).window(500)).toMatchObject({
    ...{ messages: 500, lost: 0, corrupted: 0 },
  });
  expect(() => client.prepare(peer, { model: "pipeline", payloadBytes: 64 })).toThrow("has no model pipeline");
  await client.close(false);
  await peer.stop();
});

/** Serves the framing of `unix` with what `answer` makes of each request. */
async function serverThat(answer: (reply: Buffer, socket: Socket) => void): Promise<Pick<RunningPeer, "address">> {
  const name = join(own.directory, "bad.sock");
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (request) => {
      const reply = Buffer.from(request);
      reply[4 + 4] = Kind.reply;
      answer(reply, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(name, resolve));
  ended.push(() => new Promise((resolve) => server.close(resolve)));
  return { address: { transport: "unix", name } };
}

const window = async (peer: Pick<RunningPeer, "address">, messages: number) => {
  const client = await connect(unix, peer);
  const found = await client.prepare(peer as RunningPeer, { model: "ping-pong", payloadBytes: 64 }).window(messages);
  await client.close(false);
  return found;
};

test("one flipped bit in a body, and a reply to another request, are counted", async () => {
  let requests = 0;
  const flips = await serverThat((reply, socket) => {
    requests++;
    const at = requests === 3 ? 50 : requests === 5 ? 4 : undefined;
    if (at !== undefined) reply[at] = (reply[at] ?? 0) ^ 1;
    socket.write(reply);
  });
  expect(await window(flips, 8)).toMatchObject({ messages: 8, corrupted: 2 });
});

test("a server that hangs up ends the window with the reason", async () => {
  let requests = 0;
  const leaves = await serverThat((reply, socket) => (++requests > 3 ? socket.destroy() : socket.write(reply)));
  expect(await window(leaves, 8)).toMatchObject({
    messages: 3,
    lost: 1,
    problem: expect.stringMatching(/hung up|reset/),
  });
});

test("a server that does not answer is noticed after two seconds", async () => {
  const silent = await serverThat(() => undefined);
  expect(await window(silent, 8)).toMatchObject({ messages: 0, problem: "a reply did not come within 2000 ms" });
});

test("a server that is not there is one sentence", async () => {
  const nobody = { address: { transport: "unix", name: join(own.directory, "nobody.sock") } };
  await expect(connect(unix, nobody)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
});
