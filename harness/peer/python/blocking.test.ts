import { describe, expect, test } from "vitest";
import { Method, type ServerStatistics } from "../../../scenarios/check.ts";
import { HEADER_BYTES, Kind, readId, readKind, readStatus } from "../../../transports/contract/frame.ts";
import type { BlockingConnection, Transport } from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { ownFolder } from "../../../transports/testing/own-folder.ts";
import type { RunningPeer } from "../../driver/peers/running-peer.ts";
import { startPeer } from "../../driver/peers/start-peer.ts";
import { buildFrame, STREAM_LAST } from "../../rpc/message.ts";
import { arrivedIntact } from "../../rpc/verify.ts";
import { startPython } from "../../testing/python-peer.ts";

const transports: Transport[] = [];
for (const registration of REGISTRY) {
  const transport = await registration.load();
  if (transport.peers?.["python"] === undefined || transport.blocking === undefined) continue;
  // The same transport under another name.
  if (transport.sameAs !== undefined) continue;
  if ((await transport.probe()).available) transports.push(transport);
}

const own = ownFolder();
const { ended } = own;

async function start(transport: Transport): Promise<RunningPeer> {
  const place = { directory: own.directory, prefix: `ipcmark-${process.pid.toString(16).padStart(16, "0")}` };
  const address = await transport.allocate(place);
  ended.push(() => transport.sweep(address));
  return startPython(transport, "blocking", address, ended);
}

function open(transport: Transport, peer: RunningPeer): BlockingConnection {
  if (transport.blocking === undefined) throw new Error("no blocking face");
  const connection = transport.blocking.connect(peer.address, 5000);
  ended.push(() => connection[Symbol.dispose]());
  return connection;
}

const buffer = new Uint8Array(4 * 1024 * 1024);

function request(connection: BlockingConnection, id: number, body: Uint8Array, method = 0): Uint8Array {
  expect(connection.send(buildFrame(Kind.request, id, method, 0, body), 2000)).toBe(true);
  const length = connection.receive(buffer, 5000);
  expect(length).toBeGreaterThanOrEqual(HEADER_BYTES);
  const reply = buffer.subarray(0, length);
  expect([readId(reply), readKind(reply), readStatus(reply), arrivedIntact(reply)]).toEqual([id, Kind.reply, 0, true]);
  return reply.slice(HEADER_BYTES);
}

describe.each(transports)("a Python peer of $id", (transport) => {
  test("answers like the Node one, and leaves nothing when it is told to stop", async () => {
    const peer = await start(transport);
    expect(peer.info.version).toMatch(/^3\.\d+\.\d+/);
    const connection = open(transport, peer);
    const largest = Math.min(transport.capabilities.maxMessageBytes - HEADER_BYTES, 500_000);
    for (const [index, size] of [0, 1, 64, 5000, largest].entries()) {
      const body = Uint8Array.from({ length: Math.min(size, largest) }, (_, at) => (at * 7) % 256);
      expect(Buffer.compare(request(connection, index, body), body)).toBe(0);
    }
    const later = Uint8Array.of(60, 0, 0, 0);
    const began = performance.now();
    expect(request(connection, 5, later, Method.echoLater)).toEqual(later);
    expect(performance.now() - began).toBeGreaterThan(50);
    expect(request(connection, 6, new Uint8Array(0), Method.echoLater)).toHaveLength(0);
    const said = request(connection, 7, new Uint8Array(0), Method.statistics);
    const statistics: ServerStatistics = JSON.parse(Buffer.from(said).toString());
    expect(statistics).toMatchObject({ pid: peer.info.pid, requests: 8, clients: 1 });
    connection[Symbol.dispose]();
    expect(await peer.stop()).toEqual({ code: 0, signal: null });
    expect(await transport.residue(peer.address)).toEqual([]);
  });

  test("keeps two clients apart through thousands of requests", async () => {
    const peer = await start(transport);
    const clients = [open(transport, peer), open(transport, peer)];
    for (let round = 0; round < 1500; round++) {
      for (const [index, client] of clients.entries()) {
        const text = `${index}/${round}`;
        expect(Buffer.from(request(client, round, Buffer.from(text))).toString()).toBe(text);
      }
    }
    for (const client of clients) client[Symbol.dispose]();
    await peer.stop();
  });

  test("counts and verifies one-way messages, more than fit at once", async () => {
    const peer = await start(transport);
    const connection = open(transport, peer);
    const total = 3000;
    const body = new Uint8Array(2000).fill(7);
    for (let sequence = 0; sequence < total; sequence++) {
      const frame = buildFrame(Kind.oneWay, sequence, sequence === total - 1 ? STREAM_LAST : 0, 0, body);
      expect(connection.send(frame, 5000)).toBe(true);
    }
    const report = await peer.streamReport(5000);
    expect(report).toMatchObject({ received: total, corrupted: 0, duplicated: 0, reordered: 0 });
    connection[Symbol.dispose]();
    await peer.stop();
  });

  test("takes over from a killed one, and refuses to where one lives", async () => {
    const peer = await start(transport);
    const restart = () =>
      startPeer({
        transport,
        reference: { id: transport.id, module: null },
        mode: "blocking",
        address: peer.address,
        pin: [],
        language: "python",
        onSpawn: () => undefined,
      });
    await expect(restart()).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
    await peer.kill("SIGKILL");
    const successor = await restart();
    ended.push(async () => void (await successor.kill("SIGKILL")));
    const connection = open(transport, successor);
    expect(request(connection, 1, Uint8Array.of(1))).toEqual(Uint8Array.of(1));
    connection[Symbol.dispose]();
    await successor.stop();
    expect(await transport.residue(peer.address)).toEqual([]);
  });
});
