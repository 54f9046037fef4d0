import { describe, expect, test, vi } from "vitest";
import { Method, type ServerStatistics } from "../../../scenarios/check.ts";
import { HEADER_BYTES, Kind } from "../../../transports/contract/frame.ts";
import type { Address, Transport } from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { ownFolder } from "../../../transports/testing/own-folder.ts";
import { publishTo } from "../../driver/checks/fan-out.ts";
import type { RunningPeer } from "../../driver/peers/running-peer.ts";
import { buildFrame, STREAM_LAST } from "../../rpc/message.ts";
import { startPython } from "../../testing/python-peer.ts";

const transports: Transport[] = [];
for (const registration of REGISTRY) {
  const transport = await registration.load();
  if (transport.peers?.["python"] === undefined || transport.event === undefined) continue;
  // The same server as that of grpc/stream; its own part is in grpc.test.ts.
  if (transport.id === "grpc/unary" && process.env["IPCMARK_TEST_ALL"] === undefined) continue;
  if ((await transport.probe()).available) transports.push(transport);
}

const own = ownFolder();
const { ended } = own;

async function start(transport: Transport, address?: Address, key?: Uint8Array): Promise<RunningPeer> {
  const place = { directory: own.directory, prefix: `ipcmark-${process.pid.toString(16).padStart(16, "0")}` };
  const at = address ?? (await transport.allocate(place));
  ended.push(() => transport.sweep(at));
  return startPython(transport, transport.capabilities.modes[0], at, ended, key);
}

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 7) % 256);
}

test("the mechanisms that Python can speak without anything installed are among those tested", () => {
  const ids = transports.map(({ id }) => id);
  expect(ids).toEqual(
    expect.arrayContaining(["unix", "tcp", "python-connection", "python-connection/tcp", "file-drop/watch"]),
  );
});

const answering = transports.filter(({ capabilities }) => capabilities.patterns.includes("request-reply"));

describe.each(answering)("a Python peer of $id", (transport) => {
  test("answers like the Node one: sizes, later, statistics, unknown, shutdown", async () => {
    const peer = await start(transport);
    expect(peer.info.language).toBe("python");
    expect(peer.info.version).toMatch(/^3\.\d+\.\d+/);
    const client = await peer.connect();
    const large = Math.min(transport.capabilities.maxMessageBytes - HEADER_BYTES, 300_000);
    for (const size of [0, 1, 64, 5000, large]) {
      const body = pattern(Math.min(size, large));
      expect(Buffer.compare(await client.request(body), body)).toBe(0);
    }
    const later = new Uint8Array(8);
    later[0] = 60;
    const began = performance.now();
    expect(Buffer.compare(await client.request(later, { method: Method.echoLater }), later)).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(50);
    expect(await client.request(new Uint8Array(0), { method: Method.echoLater })).toHaveLength(0);
    const said = await client.request(new Uint8Array(0), { method: Method.statistics });
    const statistics: ServerStatistics = JSON.parse(Buffer.from(said).toString());
    expect(statistics.pid).toBe(peer.info.pid);
    expect(statistics.requests).toBe(8);
    expect(statistics.clients).toBe(1);
    await expect(client.request(new Uint8Array(0), { method: 99 })).rejects.toThrow();
    await client.request(new Uint8Array(0), { method: Method.shutdown });
    await client.connection.close().catch(() => undefined);
    await vi.waitFor(async () => expect(await transport.residue(peer.address)).toEqual([]), { timeout: 5000 });
  });
});

describe.each(transports)("one Python peer of $id", (transport) => {
  const { capabilities } = transport;
  const can = (pattern: (typeof capabilities.patterns)[number]): boolean => capabilities.patterns.includes(pattern);

  // Repeated once: a client that the busy machine keeps from reading for a second counts as stuck, as it should.
  test("serves clients side by side, counts, publishes, refuses a second server, and leaves nothing", {
    retry: 1,
  }, async () => {
    const peer = await start(transport);
    if (can("request-reply")) await servesSideBySide(transport, peer);
    if (can("one-way") && capabilities.delivery === "reliable") await countsAndVerifies(peer);
    if (can("one-way")) await publishesToAll(transport, peer);
    if (capabilities.connects === "checked")
      await expect(start(transport, peer.address)).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
    expect(await peer.stop()).toEqual({ code: 0, signal: null });
    expect(await transport.residue(peer.address)).toEqual([]);
  });
});

async function servesSideBySide(transport: Transport, peer: RunningPeer): Promise<void> {
  const count = Math.min(4, transport.capabilities.maxClients);
  const clients = await Promise.all(Array.from({ length: count }, () => peer.connect()));
  await Promise.all(
    clients.map(async (client, index) => {
      for (let round = 0; round < 25; round++) {
        const body = Buffer.from(`${index}/${round}`);
        expect(Buffer.from(await client.request(body)).toString()).toBe(`${index}/${round}`);
      }
    }),
  );
  await Promise.all(clients.map((client) => client.connection.close().catch(() => undefined)));
  const usage = await peer.usage();
  expect(usage?.cpuMicros).toBeGreaterThan(0);
}

async function countsAndVerifies(peer: RunningPeer): Promise<void> {
  const client = await peer.connect();
  const total = 200;
  for (let sequence = 0; sequence < total; sequence++) {
    const method = sequence === total - 1 ? STREAM_LAST : 0;
    const frame = buildFrame(Kind.oneWay, sequence, method, 0, pattern(sequence));
    // One arrives damaged.
    if (sequence === 100) frame[HEADER_BYTES + 3] = 0xee;
    while (!client.connection.send(frame)) await client.writable();
  }
  const report = await peer.streamReport(5000);
  expect(report).toMatchObject({ received: total - 1, corrupted: 1, duplicated: 0, reordered: 0 });
  expect(BigInt(report.lastNs)).toBeGreaterThan(BigInt(report.firstNs));
  await client.connection.close();
}

async function publishesToAll(transport: Transport, peer: RunningPeer): Promise<void> {
  // Fewer than a ZeroMQ pipe holds, so a mechanism that may lose messages should lose none.
  const heard = await publishTo(transport, peer, { subscribers: 2, messages: 60, bodyBytes: 40 });
  expect(heard).toMatchObject([
    { received: 60, corrupted: 0, duplicated: 0, reordered: 0 },
    { received: 60, corrupted: 0, duplicated: 0, reordered: 0 },
  ]);
}

describe.each(transports.filter(({ capabilities }) => capabilities.auth.includes("shared-key")))(
  "a Python peer of $id with a key",
  (transport) => {
    test("serves who has it and refuses who has not; one that says nothing delays nobody", async () => {
      const key = Buffer.from("secret");
      const peer = await start(transport, undefined, key);
      const silent = await transport.connectRaw?.(peer.address);
      const client = await peer.connect({ key });
      expect(Buffer.compare(await client.request(pattern(10)), pattern(10))).toBe(0);
      await expect(peer.connect({ key: Buffer.from("other") })).rejects.toMatchObject({ code: "IPC_AUTH_FAILED" });
      // The limit is the same 3 seconds over both kinds of socket; the test waits for one of them.
      if (transport.id === "python-connection") await silent?.closed;
      await silent?.[Symbol.asyncDispose]();
      await client.connection.close();
      expect(await peer.stop()).toEqual({ code: 0, signal: null });
    });
  },
);
