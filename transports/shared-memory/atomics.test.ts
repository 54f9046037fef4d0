import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { Address, EventTransport, Server } from "../contract/transport.ts";
import { echoHandler } from "../testing/echo-handler.ts";
import { Collector, connectCollector, pattern, roundTrip, within } from "../testing/harness.ts";
import { workerAtomics } from "./atomics.ts";
import { MAX_MESSAGE_BYTES } from "./atomics-connection.ts";

const event = workerAtomics.event as EventTransport;
const SOURCE = fileURLToPath(new URL("./atomics.ts", import.meta.url));
const ECHO = fileURLToPath(new URL("../testing/echo-handler.ts", import.meta.url));

/** Starts an echo in another thread. */
async function elsewhere(): Promise<{ readonly worker: Worker; readonly address: Address }> {
  const worker = new Worker(
    `import { parentPort } from "node:worker_threads";
     const { workerAtomics } = await import(${JSON.stringify(SOURCE)});
     const { echoHandler } = await import(${JSON.stringify(ECHO)});
     const server = await workerAtomics.event.listen({ transport: "worker/atomics", name: "elsewhere" }, echoHandler);
     parentPort.postMessage(server.address);
     parentPort.on("message", () => server.close());`,
    { eval: true, execArgv: ["--input-type=module"] },
  );
  const address = await within(
    "the thread's address",
    new Promise<Address>((resolve) => worker.once("message", resolve)),
  );
  return { worker, address };
}

async function serve(handler = echoHandler): Promise<Server> {
  return event.listen(await workerAtomics.allocate({ directory: "/nowhere", prefix: "none" }), handler);
}

describe("worker/atomics", () => {
  test("within one thread messages come back unchanged, in ordinary memory, and both ends part in order", async () => {
    const server = await serve({
      ...echoHandler,
      onMessage(message, connection) {
        expect(message.buffer).toBeInstanceOf(ArrayBuffer);
        echoHandler.onMessage(message, connection);
      },
    });
    const { connection, collector } = await connectCollector(workerAtomics, server.address);
    for (const bytes of [0, 1, 64, 65_537, MAX_MESSAGE_BYTES]) {
      const message = pattern(bytes, bytes);
      expect((await roundTrip(connection, collector, message)).equals(message)).toBe(true);
    }
    expect(() => connection.send(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toThrow(
      expect.objectContaining({ code: "IPC_TOO_LARGE" }),
    );
    await connection.close();
    expect(await collector.closed).toBeUndefined();
    await server.close();
  });

  test("a paused receiver stops the sender, which is called when there is room; closing delivers all", async () => {
    const paused = new Collector();
    const server = await serve(paused);
    const { connection, collector } = await connectCollector(workerAtomics, server.address);
    await paused.until("the server's end", () => paused.connections.length === 1);
    paused.connections[0]?.pause();
    const message = pattern(100_000);
    let sent = 0;
    while (connection.send(message)) sent++;
    expect(sent).toBeLessThan(42);
    paused.connections[0]?.resume();
    await collector.until("room", () => collector.writable === 1);
    expect(connection.send(message)).toBe(true);
    await connection.close();
    expect(await within("the server's end", paused.closed)).toBeUndefined();
    expect(paused.messages.length).toBe(sent + 1);
    await server.close();
  });

  test("closing has a limit, and a sender that waits for a side that closes gets to its end", async () => {
    const paused = new Collector();
    const server = await serve(paused);
    const { connection, collector } = await connectCollector(workerAtomics, server.address);
    await paused.until("the server's end", () => paused.connections.length === 1);
    const theirs = paused.connections[0];
    theirs?.pause();
    expect(connection.send(pattern(64))).toBe(true);
    await expect(connection.close(50)).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
    expect(await collector.closed).toMatchObject({ code: "IPC_TIMEOUT" });
    theirs?.resume();
    await within("their end", paused.closed);
    await server.close();
  });

  test("two threads exchange thousands of messages with none lost, and the loss of a thread shows", async () => {
    const { worker, address } = await elsewhere();
    const { connection, collector } = await connectCollector(workerAtomics, address);
    const other = await connectCollector(workerAtomics, address);
    const MESSAGES = 5000;
    for (let i = 0; i < MESSAGES; i++) {
      const message = pattern(1 + ((i * 7919) % 4000), i);
      while (!connection.send(message)) {
        const before = collector.writable;
        await collector.until("room", () => collector.writable > before);
      }
      // Lets both ends fall asleep now and then, at different moments.
      if (i % 97 === 0) await collector.count(i + 1);
      else if (i % 31 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await collector.count(MESSAGES);
    for (const [i, message] of collector.messages.entries()) {
      if (!message.equals(pattern(1 + ((i * 7919) % 4000), i))) throw new Error(`message ${i} is wrong`);
    }
    await connection.close();
    expect(await collector.closed).toBeUndefined();
    await worker.terminate();
    expect(await within("the loss", other.collector.closed)).toMatchObject({ code: "IPC_PEER_LOST" });
  });

  test("a server in another thread closes its clients in order, and the thread then ends", async () => {
    const { worker, address } = await elsewhere();
    const { connection, collector } = await connectCollector(workerAtomics, address);
    expect((await roundTrip(connection, collector, pattern(64))).equals(pattern(64))).toBe(true);
    worker.postMessage("close");
    expect(await within("the end", collector.closed)).toBeUndefined();
    await worker.terminate();
    await expect(connectCollector(workerAtomics, address)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
  });

  test("nobody listening is IPC_PEER_LOST, a second server IPC_ADDRESS_IN_USE", async () => {
    const address = await workerAtomics.allocate({ directory: "/nowhere", prefix: "none" });
    await expect(connectCollector(workerAtomics, address)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
    const server = await event.listen(address, echoHandler);
    await expect(event.listen(address, echoHandler)).rejects.toMatchObject({ code: "IPC_ADDRESS_IN_USE" });
    await server.close();
  });
});
