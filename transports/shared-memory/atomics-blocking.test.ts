import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import type { Address, BlockingConnection, BlockingServer, BlockingTransport } from "../contract/transport.ts";
import { pattern, within } from "../testing/harness.ts";
import { workerAtomics } from "./atomics.ts";
import { MAX_MESSAGE_BYTES } from "./atomics-connection.ts";

const blocking = workerAtomics.blocking as BlockingTransport;
const SOURCE = fileURLToPath(new URL("./atomics.ts", import.meta.url));
const LIMIT_MS = 5000;

const opened: Disposable[] = [];
const workers: Worker[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) each[Symbol.dispose]();
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

const allocate = (): Promise<Address> => workerAtomics.allocate({ directory: "/nowhere", prefix: "none" });

/** Starts an echo in another thread. @param gate it waits before each message until the first word of this is not 0 */
async function echo(gate: Int32Array = Int32Array.of(1)): Promise<Address> {
  const address = await allocate();
  const worker = new Worker(
    `import { parentPort, workerData as gate } from "node:worker_threads";
     const { workerAtomics } = await import(${JSON.stringify(SOURCE)});
     const server = workerAtomics.blocking.listen(${JSON.stringify(address)});
     const into = new Uint8Array(${MAX_MESSAGE_BYTES});
     parentPort.postMessage("listens");
     for (;;) {
       if (gate[0] === 0) {
         Atomics.wait(gate, 0, 0);
         // Time for the sender to fall asleep.
         Atomics.wait(gate, 0, 1, 50);
       }
       const length = server.receive(into, 100);
       if (length < 0) continue;
       while (!server.from.send(into.subarray(0, length), 100));
     }`,
    { eval: true, execArgv: ["--input-type=module"], workerData: gate },
  );
  workers.push(worker);
  await within("the other thread", new Promise((resolve) => worker.once("message", resolve)));
  return address;
}

function connect(address: Address): BlockingConnection {
  const connection = blocking.connect(address, LIMIT_MS);
  opened.push(connection);
  return connection;
}

async function listen(): Promise<BlockingServer> {
  const server = blocking.listen(await allocate());
  opened.push(server);
  return server;
}

describe("worker/atomics in threads that sleep", () => {
  test("messages of all sizes come back, also to several clients", async () => {
    const address = await echo();
    const clients = [connect(address), connect(address)];
    const into = Buffer.alloc(MAX_MESSAGE_BYTES);
    for (const bytes of [0, 1, 64, 257, 65_537, MAX_MESSAGE_BYTES]) {
      for (const [at, client] of clients.entries()) expect(client.send(pattern(bytes, at), LIMIT_MS)).toBe(true);
      for (const [at, client] of clients.entries()) {
        expect(client.receive(into, LIMIT_MS)).toBe(bytes);
        expect(into.subarray(0, bytes).equals(pattern(bytes, at))).toBe(true);
      }
    }
    expect(() => clients[0]?.send(new Uint8Array(MAX_MESSAGE_BYTES + 1), 0)).toThrow(
      expect.objectContaining({ code: "IPC_TOO_LARGE" }),
    );
  });

  test("a sender waits for room in a full ring, and goes on when a slow reader makes some", async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4)).fill(1);
    const client = connect(await echo(gate));
    Atomics.store(gate, 0, 0);
    const message = pattern(1_000_000);
    let sent = 0;
    while (sent < 8 && client.send(message, 1)) sent++;
    expect(sent).toBeLessThan(8);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    expect(client.send(message, LIMIT_MS)).toBe(true);
    for (let left = sent + 1; left > 0; left--) {
      expect(client.receive(Buffer.alloc(message.length), LIMIT_MS)).toBe(message.length);
    }
  });

  test("receive returns -1 when its time is over; an end that closes is IPC_PEER_LOST", async () => {
    const client = connect(await echo());
    const startedMs = performance.now();
    expect(client.receive(new Uint8Array(8), 60)).toBe(-1);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(59);
    client[Symbol.dispose]();
    expect(() => client.receive(new Uint8Array(8), 0)).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
  });

  test("nobody receiving is IPC_PEER_LOST within the limit, and a later server drops that client", async () => {
    const server = await listen();
    // The server of this thread cannot receive while this thread waits.
    expect(() => blocking.connect(server.address, 50)).toThrow(expect.objectContaining({ code: "IPC_PEER_LOST" }));
    expect(server.receive(new Uint8Array(8), 100)).toBe(-1);
    expect(server.from).toBeUndefined();
  });
});
