import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { Address, LaunchedPeer, Transport } from "../contract/transport.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { Collector, connectCollector, pattern, roundTrip, within } from "../testing/harness.ts";
import { channelAdvanced, channelJson } from "./channel.ts";
import { ChannelGuard } from "./channel-guard.ts";
import { workerPort } from "./worker.ts";

const PEER = fileURLToPath(new URL("../testing/launched-echo.ts", import.meta.url));
const MODULE = fileURLToPath(new URL("./channel.ts", import.meta.url));

const launched: LaunchedPeer[] = [];

async function launch(transport: Transport, exportName: string) {
  const collector = new Collector();
  const command = [process.execPath, PEER, MODULE, exportName] as const;
  const peer = (await transport.event?.launch?.(command, collector)) as LaunchedPeer;
  launched.push(peer);
  return { peer, collector, connection: peer.connection };
}

afterEach(async () => {
  for (const peer of launched.splice(0)) {
    try {
      process.kill(peer.pid, "SIGKILL");
    } catch {
      // It has ended, as it should.
    }
    await within("the end of the peer", peer.exited);
  }
});

describe.each([
  { transport: channelJson, exportName: "channelJson" },
  { transport: channelAdvanced, exportName: "channelAdvanced" },
])("$transport.id", ({ transport, exportName }) => {
  test("messages of 0 bytes to 1 MiB come back unchanged, every byte value included", async () => {
    const { connection, collector } = await launch(transport, exportName);
    for (const bytes of [0, 1, 64, 4096, 65_552, 1024 * 1024]) {
      const message = pattern(bytes, bytes);
      expect((await roundTrip(connection, collector, message)).equals(message)).toBe(true);
    }
    await connection.close();
    expect(await collector.closed).toBeUndefined();
  });

  test("the peer ends by itself after an orderly close", async () => {
    const { connection, collector, peer } = await launch(transport, exportName);
    await roundTrip(connection, collector, pattern(64));
    await connection.close();
    expect(await within("the exit of the peer", peer.exited)).toEqual({ code: 0, signal: null });
    expect(() => connection.send(pattern(1))).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
  });

  test("a killed peer is IPC_PEER_LOST", async () => {
    const { connection, collector, peer } = await launch(transport, exportName);
    await roundTrip(connection, collector, pattern(64));
    process.kill(peer.pid, "SIGKILL");
    expect(await within("the loss", collector.closed)).toMatchObject({ code: "IPC_PEER_LOST" });
    await connection.close();
    expect(collector.closes).toBe(1);
  });

  test("a stopped peer makes send return false before memory grows, and gets everything afterwards", async () => {
    const { connection, collector, peer } = await launch(transport, exportName);
    await roundTrip(connection, collector, pattern(64));
    process.kill(peer.pid, "SIGSTOP");
    const message = pattern(16_384);
    let sent = 0;
    while (connection.send(message)) sent++;
    expect(sent * message.length).toBeLessThan(4 * 1024 * 1024);
    process.kill(peer.pid, "SIGCONT");
    await collector.count(1 + sent);
    expect(collector.writable).toBe(1);
    expect(collector.messages.slice(1).every((reply) => reply.equals(message))).toBe(true);
    await connection.close();
  });

  test("after pause no more comes than was under way, and resume delivers the rest in order", async () => {
    const { connection, collector } = await launch(transport, exportName);
    connection.pause();
    for (let i = 0; i < 100; i++) expect(connection.send(pattern(32, i))).toBe(true);
    await roundTripOfAnother(transport, exportName);
    expect(collector.messages.length).toBeLessThanOrEqual(1);
    connection.resume();
    await collector.count(100);
    expect(collector.messages.every((reply, i) => reply.equals(pattern(32, i)))).toBe(true);
    await connection.close();
  });

  test.skipIf(process.platform === "win32")(
    "rubbish from a child ends its connection with IPC_MALFORMED, and nothing else",
    async () => {
      const deep = "[".repeat(200_000);
      const rubbish: readonly (string | readonly number[])[] =
        exportName === "channelJson"
          ? [
              "hello\n",
              "\0\n",
              "{}\n",
              '["x"]\n',
              "null\n",
              `${deep}\n`,
              '{"cmd":"NODE_HANDLE_ACK"}\n',
              '{"cmd":"NODE_HANDLE"}\n',
              // Node has parsed all three before the first ends the connection.
              "{}\n{}\n{}\n",
            ]
          : [
              [0, 0, 0, 0],
              [0, 0, 0, 4, 0xde, 0xad, 0xbe, 0xef],
              [0x80, 0, 0, 0],
              [0, 0, 0, 3, 0xff, 0x0f, 0x30],
              [1, 2, 3].flatMap(() => [0, 0, 0, 4, 0xff, 0x0f, 0x49, 0x50]),
            ];
      for (const bytes of rubbish) {
        const collector = new Collector();
        const rawClient = await transport.launchRaw?.(collector);
        // The process does not end: the child waits for more to write.
        await rawClient?.write(typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes));
        const error = await within(`the end after ${JSON.stringify(bytes).slice(0, 60)}`, collector.closed);
        expect(error, JSON.stringify(bytes).slice(0, 60)).toMatchObject({ code: "IPC_MALFORMED" });
        await rawClient?.[Symbol.asyncDispose]();
        expect([collector.closes, collector.messages.length]).toEqual([1, 0]);
      }
    },
  );

  test("a process without a channel throws an error that names launch()", async () => {
    const address = { transport: transport.id, name: "none" };
    // This test itself runs in a child of vitest, which may have a channel: take it away for the call.
    const { send } = process;
    Reflect.deleteProperty(process, "send");
    try {
      await expect(transport.event?.listen(address, new Collector())).rejects.toMatchObject({
        code: "IPC_UNSUPPORTED",
      });
    } finally {
      if (send !== undefined) process.send = send;
    }
  });
});

test.skipIf(process.platform === "win32")(
  "a message without an end is refused when it is longer than the longest, and the end of one is no matter",
  async () => {
    const child = spawn("/bin/sh", ["-c", "exec cat <&3 >&4"], { stdio: ["ignore", 2, 2, "pipe", "ipc"] });
    const refused = Promise.withResolvers<string>();
    let delivered = 0;
    const rules = { mostBytes: 100_000, prefixed: false };
    const guard = ChannelGuard.watch(child, rules, refused.resolve);
    child.on("message", () => {
      delivered++;
      guard?.delivered();
    });
    const control = child.stdio[3] as Writable;
    control.on("error", () => {});
    // Each leaves a part of the next one behind; together they are longer than the limit.
    for (let sent = 0; sent < 4; sent++) {
      control.write(`"${"x".repeat(40_000)}"\n"${"y".repeat(30_000)}`);
      control.write('"\n');
    }
    while (delivered < 8) await within("the whole messages", once(child, "message"));
    control.write(`"${"z".repeat(200_000)}`);
    expect(await within("the refusal", refused.promise)).toMatch(/more than 100000 bytes has no end/);
    child.disconnect();
    control.end();
    await within("the end of the child", once(child, "exit"));
  },
);

/** Runs a second pair, to give the first one time to misbehave. */
async function roundTripOfAnother(transport: Transport, exportName: string): Promise<void> {
  const { connection, collector } = await launch(transport, exportName);
  await roundTrip(connection, collector, pattern(64));
  await connection.close();
}

describe("worker/port", () => {
  async function serve(): Promise<Address> {
    const address = await workerPort.allocate({ directory: "/nowhere", prefix: "none" });
    const server = await workerPort.event?.listen(address, echoHandler);
    return server?.address as Address;
  }

  test("within one thread messages come back unchanged and both ends part in order", async () => {
    const { connection, collector } = await connectCollector(workerPort, await serve());
    for (const bytes of [0, 1, 64, 65_536, 3 * 1024 * 1024]) {
      const message = pattern(bytes, bytes);
      expect((await roundTrip(connection, collector, message)).equals(message)).toBe(true);
    }
    await connection.close();
    expect(await collector.closed).toBeUndefined();
  });

  test("a window bounds what a receiver that paused has to hold", async () => {
    const paused = new Collector();
    const address = await workerPort.allocate({ directory: "/nowhere", prefix: "none" });
    const server = await workerPort.event?.listen(address, paused);
    const { connection, collector } = await connectCollector(workerPort, server?.address as Address);
    await paused.until("the server's end", () => paused.connections.length === 1);
    paused.connections[0]?.pause();
    let sent = 0;
    while (connection.send(pattern(1024))) sent++;
    expect(sent).toBeLessThan(1100);
    paused.connections[0]?.resume();
    await paused.count(sent);
    await collector.until("room", () => collector.writable === 1);
    await connection.close();
    await server?.close();
  });

  test("a server in another thread of the process is found by its address", async () => {
    const source = fileURLToPath(new URL("./worker.ts", import.meta.url));
    const echoUrl = fileURLToPath(new URL("../testing/echo-handler.ts", import.meta.url));
    const worker = new Worker(
      `import { parentPort } from "node:worker_threads";
       const { workerPort } = await import(${JSON.stringify(source)});
       const { echoHandler } = await import(${JSON.stringify(echoUrl)});
       const server = await workerPort.event.listen({ transport: "worker/port", name: "elsewhere" }, echoHandler);
       parentPort.postMessage(server.address);
       parentPort.on("message", () => {});`,
      { eval: true, execArgv: ["--input-type=module"] },
    );
    const address = await within(
      "the thread's address",
      new Promise<Address>((resolve) => worker.once("message", resolve)),
    );
    const { connection, collector } = await connectCollector(workerPort, address);
    expect((await roundTrip(connection, collector, pattern(64))).equals(pattern(64))).toBe(true);
    await worker.terminate();
    expect(await within("the loss", collector.closed)).toMatchObject({ code: "IPC_PEER_LOST" });
  });

  test("nobody listening is IPC_PEER_LOST", async () => {
    const address = await workerPort.allocate({ directory: "/nowhere", prefix: "none" });
    await expect(connectCollector(workerPort, address)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
  });
});
