import { execFileSync } from "node:child_process";
import { constants as fs, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, it } from "vitest";
import { blockingCases } from "../testing/blocking-cases.ts";
import { within } from "../testing/harness.ts";
import { FifoSource } from "./fifo-source.ts";
import { fifoSync } from "./fifo-sync.ts";

describe.skipIf(process.platform !== "linux")("fifo/sync", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  blockingCases({
    modulePath: join(import.meta.dirname, "fifo-sync.ts"),
    exportName: "fifoSync",
    transport: fifoSync,
  });

  it("refuses a second client while the first is served, and serves it afterwards", async () => {
    const address = await fifoSync.allocate({ directory, prefix: "ipcmark-0" });
    const program = `
      const { fifoSync } = await import(${JSON.stringify(new URL("./fifo-sync.ts", import.meta.url).href)});
      const server = fifoSync.blocking.listen(${JSON.stringify(address)});
      process.stdout.write("ready");
      const into = Buffer.alloc(100);
      for (let left = 2; left > 0; ) {
        const length = server.receive(into, 20);
        if (length < 0) continue;
        server.from.send(into.subarray(0, length), 1000);
        left--;
      }
      server[Symbol.dispose]();`;
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await within("the server", new Promise((resolve) => child.stdout.once("data", resolve)));
    const echo = (): number => {
      using client = fifoSync.blocking?.connect(address, 5000);
      expect(client?.send(Buffer.from("hello"), 1000)).toBe(true);
      if (child.exitCode === null && !isRefused) {
        isRefused = true;
        expect(() => fifoSync.blocking?.connect(address, 5000)).toThrow(/no free place/);
      }
      return client?.receive(Buffer.alloc(10), 5000) ?? -1;
    };
    let isRefused = false;
    expect([echo(), echo()]).toEqual([5, 5]);
    await within("the exit", new Promise((resolve) => child.once("exit", resolve)));
    expect(await fifoSync.residue(address)).toEqual([]);
  });
});

/** Returns the CPU time of this thread, ms. That of the process would contain what other tests have left running. */
const threadCpuMs = (): number => Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")[0]) / 1e6;

/** Writes numbered bytes at the moments at which reads of 40 ms end, in pieces above and below what a pipe holds. */
const WRITER = `
const { openSync, writeSync } = require("node:fs");
const { path, pieces, pauseMs } = require("node:worker_threads").workerData;
const fd = openSync(path, "w");
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let value = 0;
for (const bytes of pieces) {
  Atomics.wait(sleeper, 0, 0, pauseMs + (value % 5) / 2);
  const piece = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) piece[at] = value++ % 251;
  writeSync(fd, piece);
}`;

describe.skipIf(process.platform !== "linux")("a read of a FIFO that is ended by a mark", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function makeFifo(name: string): { path: string; input: number } {
    const path = join(directory, name);
    execFileSync("mkfifo", [path]);
    return { path, input: openSync(path, fs.O_RDONLY | fs.O_NONBLOCK) };
  }

  it("keeps its time limit while the other side is silent, and uses no CPU time", () => {
    const { path, input } = makeFifo("silent");
    const writer = openSync(path, "w");
    const source = new FifoSource(input);
    const into = Buffer.alloc(100);
    source.read(into, 50);
    const before = threadCpuMs();
    const startedMs = performance.now();
    expect(source.read(into, 300)).toBe(-1);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(299);
    expect(threadCpuMs() - before).toBeLessThan(20);
    writeSync(writer, "bytes");
    expect(source.read(into, 5000)).toBe(5);
    source.close();
  });

  it("passes on every byte of the other side, in order, without the marks between them", async () => {
    const { path, input } = makeFifo("marked");
    const pieces = Array.from({ length: 24 }, (_, index) => [10, 4000, 100_000][index % 3] as number);
    const worker = new Worker(WRITER, { eval: true, workerData: { path, pieces, pauseMs: 59 } });
    const source = new FifoSource(input);
    const into = Buffer.alloc(65_536);
    const wanted = pieces.reduce((sum, bytes) => sum + bytes, 0);
    let came = 0;
    let ended = 0;
    while (came < wanted) {
      const bytes = source.read(into, 40);
      if (bytes < 0) ended++;
      else if (bytes === 0 && came > 0) throw new Error(`the end came after ${came} of ${wanted} bytes`);
      for (let at = 0; at < bytes; at++, came++) if (into[at] !== came % 251) throw new Error(`byte ${came} is wrong`);
    }
    expect(came).toBe(wanted);
    expect(ended).toBeGreaterThan(0);
    source.close();
    await worker.terminate();
  });
});
