import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Address, Place, Transport } from "../contract/transport.ts";
import { describeAddressTransport } from "../testing/cases.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { Collector, connectCollector, makePlace, pattern, roundTrip, startServer, within } from "../testing/harness.ts";
import { Broker, MISSING } from "./broker.ts";
import { Kind, unwrap, wrap } from "./envelope.ts";
import { connectBroker } from "./library.ts";
import { redisList, redisPubSub } from "./redis.ts";

const moduleUrl = new URL("./redis.ts", import.meta.url);
const found = await redisList.probe();
const reason = found.available ? undefined : found.reason;

/** Returns the ids of the brokers at an address: their command lines have its path. */
function brokersAt({ name }: Address): number[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .map(Number)
    .filter((pid) => {
      try {
        const isBroker = /^(redis|valkey)-server/.test(readFileSync(`/proc/${pid}/comm`, "latin1"));
        return isBroker && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(name);
      } catch {
        return false;
      }
    });
}

describe.skipIf(reason)(`Redis${reason ? ` (skipped: ${reason})` : ""}`, () => {
  describeAddressTransport({ transport: redisList, moduleUrl, exportName: "redisList" });
  // It differs in the lane only, which the tests below use too.
  if (process.env["IPCMARK_TEST_ALL"]) {
    describeAddressTransport({ transport: redisPubSub, moduleUrl, exportName: "redisPubSub" });
  }

  let place: Place & AsyncDisposable;
  const cleanUps: (() => unknown)[] = [];
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
    await place[Symbol.asyncDispose]();
  });

  async function serve(transport: Transport, handler = echoHandler): Promise<Address> {
    const server = await transport.event?.listen(await transport.allocate(place), handler);
    if (server === undefined) throw new Error("no event face");
    cleanUps.push(() => server.close());
    return server.address;
  }

  test.each([redisList, redisPubSub])(
    "$id: a killed server takes its broker along, and leaves no file",
    async (transport) => {
      const name = transport === redisList ? "redisList" : "redisPubSub";
      const server = await startServer(moduleUrl, name, await transport.allocate(place));
      expect(brokersAt(server.address)).toHaveLength(1);
      await server.kill();
      await expect.poll(() => brokersAt(server.address), { timeout: 5000, interval: 10 }).toEqual([]);
      await transport.sweep(server.address);
      expect(readdirSync(place.directory)).toEqual([]);
    },
  );

  test.each([redisList, redisPubSub])("$id: a killed broker ends calls and connections as lost", async (transport) => {
    const atServer = new Collector();
    const address = await serve(transport, atServer);
    const { connection, collector } = await connectCollector(transport, address);
    connection.send(pattern(64));
    await atServer.count(1);
    for (const pid of brokersAt(address)) process.kill(pid, "SIGKILL");
    expect(await within("the end of the client", collector.closed)).toMatchObject({ code: "IPC_PEER_LOST" });
    expect(await within("the end of the call", atServer.closed)).toMatchObject({ code: "IPC_PEER_LOST" });
    await expect(connectCollector(transport, address)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
  });

  test("what is no request in the list, or from a client that is gone, disturbs nobody", async () => {
    const address = await serve(redisList);
    const { connection, collector } = await connectCollector(redisList, address);
    const stranger = await connectBroker("redis/list", address.name, () => undefined);
    cleanUps.push(() => stranger.destroy());
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3), wrap(Buffer.alloc(8), 1, 99 as never, pattern(9))]) {
      await stranger.rPush("requests", bytes);
    }
    await stranger.rPush("requests", wrap(Buffer.alloc(8, 1), 7, Kind.message, pattern(64)));
    expect((await roundTrip(connection, collector, pattern(64))).equals(pattern(64))).toBe(true);
    const reply = unwrap(
      (await within("the reply to the stranger", stranger.take("replies:0101010101010101"))) as Buffer,
    );
    expect(reply).toMatchObject({ number: 7, kind: Kind.message });
    expect(reply?.message.equals(pattern(64))).toBe(true);
  });

  test.each([redisList, redisPubSub])(
    "$id: a server that closes ends its broker after large replies are read",
    async (transport) => {
      const atServer = new Collector();
      const server = await transport.event?.listen(await transport.allocate(place), atServer);
      const { connection, collector } = await connectCollector(transport, server?.address as Address);
      for (let call = 1; call <= 3; call++) connection.send(pattern(16 + call));
      await atServer.count(3);
      const reply = pattern(3_000_000);
      for (const call of atServer.connections) call.send(reply);
      await server?.close();
      await collector.count(3);
      expect(collector.messages.every((message) => message.equals(reply))).toBe(true);
    },
  );

  test("a broker without a server is not taken for one", async () => {
    const { name } = await redisList.allocate(place);
    const broker = await Broker.start("redis/list", name);
    cleanUps.push(() => broker.end());
    const connecting = connectCollector(redisList, { transport: "redis/list", name });
    await expect(connecting).rejects.toMatchObject({
      code: "IPC_PEER_LOST",
      message: expect.stringContaining("no server takes requests from it yet"),
    });
  });

  test("close resolves when the server has read a request that it never answers", async () => {
    const atServer = new Collector();
    const { connection, collector } = await connectCollector(redisList, await serve(redisList, atServer));
    connection.send(pattern(64));
    await connection.close(10 * 60_000);
    expect(atServer.messages).toHaveLength(1);
    expect(await collector.closed).toBeUndefined();
  });

  test("the broker has no TCP port and keeps no files", async () => {
    const address = await serve(redisList);
    const [pid = 0] = brokersAt(address);
    expect(readdirSync(readlinkSync(`/proc/${pid}/cwd`))).toEqual([basename(address.name)]);
    const tcp = readFileSync("/proc/net/tcp", "latin1").split("\n");
    const inodes = new Set(tcp.map((line) => line.trim().split(/\s+/)[9] ?? ""));
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    expect(open.some((link) => link.startsWith("socket:"))).toBe(true);
    expect(open.filter((link) => inodes.has(/^socket:\[(\d+)\]/.exec(link)?.[1] ?? "none"))).toEqual([]);
  });
});

test("a machine without a broker is told what to install", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    expect(await redisList.probe()).toEqual({ available: false, reason: MISSING });
  } finally {
    process.env["PATH"] = path;
  }
});
