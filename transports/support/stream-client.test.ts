import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as netConnect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { connectStream, dial } from "./stream-client.ts";

const quiet: ConnectionHandler = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };
let directory: string;
let path: string;
const ended: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ipcmark-test-"));
  path = join(directory, "s");
});
afterEach(async () => {
  vi.useRealTimers();
  for (const end of ended.splice(0).reverse()) await end();
  rmSync(directory, { recursive: true });
});

/** Listens with the backlog of a Python `Listener`, and accepts nobody until the gate is open. */
const STANDING = `
const { parentPort, workerData } = require("node:worker_threads");
require("node:net").createServer((socket) => socket.resume()).listen({ path: workerData.path, backlog: 1 }, () => {
  parentPort.postMessage("listening");
  Atomics.wait(workerData.gate, 0, 0);
});`;

/** Starts a server whose queue is full; returns what makes it accept. */
async function fullServer(): Promise<() => void> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const open = (): void => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  const worker = new Worker(STANDING, { eval: true, workerData: { path, gate } });
  ended.push(async () => {
    open();
    await worker.terminate();
  });
  await once(worker, "message");
  while (await isTaken(netConnect(path)));
  return open;
}

async function isTaken(socket: Socket): Promise<boolean> {
  ended.push(() => socket.destroy());
  const taken = await Promise.race([once(socket, "connect").then(() => true), once(socket, "error")]);
  return taken === true;
}

function dialFor(limitMs: number, signal?: AbortSignal): Promise<Socket> {
  return dial<Socket>({
    transport: "test",
    target: { path },
    options: signal && { signal },
    limitMs,
    onRead: () => true,
    onConnect: (socket, opened) => opened.resolve(socket),
  });
}

// Issue 4: clients that came at once were refused with EAGAIN. Only Linux distinguishes a full queue from no server.
describe.runIf(process.platform === "linux")("a Unix server whose queue of waiting connections is full", () => {
  test("is waited for, as a blocking connect does", async () => {
    const accept = await fullServer();
    // The first attempt is made before the call returns, so it meets the full queue.
    const opening: Promise<Connection> = connectStream("test", { path }, 1024, quiet, undefined);
    accept();
    const connection = await opening;
    await connection.close();
  });

  test("is named as the reason when the limit runs out", async () => {
    await fullServer();
    const opening = dialFor(50);
    await expect(opening).rejects.toMatchObject({
      code: "IPC_TIMEOUT",
      errno: "EAGAIN",
      message: "test: the server's queue of waiting connections was still full after 50 ms",
    });
  });

  test("is not asked again once the signal has fired", async () => {
    await fullServer();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const abort = new AbortController();
    const opening = dialFor(1000, abort.signal);
    // The limit and the pause before the second attempt.
    while (vi.getTimerCount() < 2) await turn();
    abort.abort();
    await expect(opening).rejects.toMatchObject({ code: "IPC_ABORTED" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that goes away meanwhile is a lost peer", async () => {
    await fullServer();
    const lost = expect(dialFor(10_000)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
    for (const end of ended.splice(0).reverse()) await end();
    await lost;
  });

  test("is not blamed for what took too long after it", async () => {
    const accept = await fullServer();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    let connected = false;
    const opening = dial({
      transport: "test",
      target: { path },
      options: undefined,
      limitMs: 1_000_000,
      onRead: () => true,
      onConnect: () => {
        connected = true;
      },
    });
    const late = expect(opening).rejects.toMatchObject({
      code: "IPC_TIMEOUT",
      message: expect.stringMatching("no answer"),
    });
    while (vi.getTimerCount() < 2) await turn();
    accept();
    for (; !connected; vi.advanceTimersByTime(1)) await turn();
    vi.advanceTimersByTime(1_000_000);
    await late;
  });
});
