import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { isIpcError } from "../../contract/errors.ts";
import { systemName } from "../../testing/system-names.ts";
import { errnoName, type SystemErrorCause } from "../errno.ts";
import * as posix from "../index.ts";
import type { BindingName } from "../libc.ts";

const HELPER_C = join(import.meta.dirname, "helper.c");
const HELPER_PY = join(import.meta.dirname, "helper.py");

/** Tests all of the wrapper through the binding that is loaded; one test file per binding calls this. */
export function posixCases(binding: BindingName): void {
  const prefix = `/${systemName()}`;
  let count = 0;
  const names: string[] = [];
  const closing: Disposable[] = [];
  const fresh = (): string => {
    const name = `${prefix}-${count++}`;
    names.push(name);
    return name;
  };
  const kept = <T extends Disposable>(object: T): T => {
    closing.push(object);
    return object;
  };

  afterEach(() => {
    for (const object of closing.splice(0)) object[Symbol.dispose]();
    for (const name of names.splice(0)) {
      posix.SharedMemory.unlink(name);
      posix.Semaphore.unlink(name);
      posix.MessageQueue.unlink(name);
    }
    expect(readdirSync("/dev/shm").filter((name) => name.includes(prefix.slice(1)))).toEqual([]);
  });

  describe(`the POSIX wrapper through ${binding}`, () => {
    it("runs on the binding that was asked for and reports what a call costs", () => {
      expect(posix.posixAvailability()).toEqual({ available: true, version: binding });
      const floor = posix.ffiFloor();
      expect(floor.binding).toBe(binding);
      expect(floor.callNs).toBeGreaterThan(10);
      expect(floor.callNs).toBeLessThan(1e6);
    });

    it("creates segments exclusively, 0600, zeroed, and a second mapping sees the same bytes", () => {
      const name = fresh();
      const a = kept(posix.SharedMemory.create(name, 4096));
      expect(statSync(`/dev/shm${name}`).mode & 0o777).toBe(0o600);
      const b = kept(posix.SharedMemory.open(name));
      expect(b.mapping.byteLength).toBe(4096);
      expect(a.mapping.bytes.every((byte) => byte === 0)).toBe(true);
      a.mapping.words[3] = 0x01020304;
      expect([...b.mapping.bytes.subarray(12, 16)]).toEqual([4, 3, 2, 1]);
      expect(Atomics.add(b.mapping.words, 3, 1)).toBe(0x01020304);
      expect(a.mapping.words[3]).toBe(0x01020305);
    });

    it("a view read after close reads nothing instead of crashing", () => {
      const segment = posix.SharedMemory.create(fresh(), 4096);
      const { bytes, words } = segment.mapping;
      bytes[0] = 7;
      segment.close();
      segment.close();
      expect(bytes[0]).toBeUndefined();
      expect(words.length).toBe(0);
      expect(() => segment.mapping.pointer(0)).toThrow(/closed/);
    });

    it("states code, errno, number and remedy for every refused name and size", () => {
      const taken = fresh();
      kept(posix.SharedMemory.create(taken, 64));
      expectError(() => posix.SharedMemory.create(taken, 64), "IPC_ADDRESS_IN_USE", "EEXIST", /unlink/);
      expectError(() => posix.SharedMemory.open(fresh()), "IPC_PEER_LOST", "ENOENT", /nothing has that name/);
      expectError(() => posix.SharedMemory.create("no-slash", 64), "IPC_SYSTEM", "EINVAL", /leading slash/);
      expectError(() => posix.SharedMemory.create("/a/b", 64), "IPC_SYSTEM", "EINVAL", /leading slash/);
      expectError(() => posix.SharedMemory.create(`/${"x".repeat(256)}`, 64), "IPC_SYSTEM", "ENAMETOOLONG", /shorten/);
      expectError(() => posix.Semaphore.create(`/${"x".repeat(253)}`), "IPC_SYSTEM", "ENAMETOOLONG", /shorten/);
      expectError(() => posix.SharedMemory.create(fresh(), 0), "IPC_SYSTEM", "EINVAL", /at least 1 byte/);
      expectError(() => posix.Semaphore.open(fresh()), "IPC_PEER_LOST", "ENOENT", /nothing/);
      expectError(() => posix.MessageQueue.open(fresh()), "IPC_PEER_LOST", "ENOENT", /nothing/);
      const huge = { maxMessages: 10, maxMessageBytes: 1 << 30 };
      expectError(
        () => posix.MessageQueue.create(fresh(), huge),
        "IPC_SYSTEM",
        undefined,
        /outside the limits.*sysctl/,
      );
      expectError(() => posix.MessageQueue.create(fresh(), { maxMessages: 0 }), "IPC_SYSTEM", "EINVAL", /outside/);
    });

    it("refuses a segment larger than the file system at once and leaves nothing behind", () => {
      const name = fresh();
      const { bsize, blocks } = statfs("/dev/shm");
      const bytes = Math.min(bsize * blocks + 4096, 2 ** 46);
      expectError(
        () => posix.SharedMemory.create(name, bytes),
        "IPC_SHORTAGE",
        /ENOSPC|ENOMEM/,
        /has .* free of .*--shm-size|memory/,
      );
      expect(posix.SharedMemory.unlink(name)).toBe(false);
    });

    it("runs out of queue quota with the numbers and the way out, and keeps none of what failed", () => {
      const queues: posix.MessageQueue[] = [];
      let failure: unknown;
      // The quota is finite, so this ends; the bound is there in case it is not.
      for (let i = 0; i < 300 && failure === undefined; i++) {
        try {
          queues.push(kept(posix.MessageQueue.create(fresh())));
        } catch (error) {
          failure = error;
        }
      }
      expect(queues.length).toBeLessThan(300);
      expect(isIpcError(failure) && failure.code).toBe("IPC_SHORTAGE");
      expect(String(failure)).toMatch(/(EMFILE.*ulimit -q)|(ENOSPC.*queues_max)/);
      expect(posix.MessageQueue.unlink(names.at(-1) as string)).toBe(false);
    });

    it("waits on a semaphore until it is posted or the time is over", () => {
      const name = fresh();
      const a = kept(posix.Semaphore.create(name, 1));
      const b = kept(posix.Semaphore.open(name));
      expect(a.tryWait()).toBe(true);
      expect(a.tryWait()).toBe(false);
      const startMs = performance.now();
      expect(a.wait(30)).toBe(false);
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
      b.post();
      expect(a.wait(1000)).toBe(true);
      b.close();
      expect(() => b.post()).toThrow(/closed/);
    });

    // Issue 7: Infinity did not wait at all.
    it("waits for ever when asked to, and not at all for NaN and less than nothing", async () => {
      const [flag, semaphoreName, queueName] = [new Int32Array(new SharedArrayBuffer(4)), fresh(), fresh()];
      const memory = kept(posix.SharedMemory.create(fresh(), 64));
      const semaphore = kept(posix.Semaphore.create(semaphoreName));
      const queue = kept(posix.MessageQueue.create(queueName, { maxMessages: 1, maxMessageBytes: 8 }));
      const futex = new posix.Futex(memory.mapping, 0);
      for (const none of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) {
        expect([semaphore.wait(none), queue.receive(new Uint8Array(8), none)]).toEqual([false, -1]);
        expect(futex.wait(0, none)).toBe("timeout");
      }
      // Another thread ends each wait, a while after the one before, so a wait that did not wait shows.
      const script = `
        const { workerData } = require("node:worker_threads");
        import(workerData.index).then((posix) => {
          const pause = () => Atomics.wait(workerData.flag, 0, 1, 60);
          const segment = posix.SharedMemory.open(workerData.segment);
          const futex = new posix.Futex(segment.mapping, 0);
          const semaphore = posix.Semaphore.open(workerData.semaphoreName);
          const queue = posix.MessageQueue.open(workerData.queueName);
          Atomics.wait(workerData.flag, 0, 0, 10_000);
          pause();
          semaphore.post();
          pause();
          queue.send(Uint8Array.of(1), 5000);
          pause();
          segment.mapping.words[0] = 1;
          futex.wake();
          pause();
          queue.receive(new Uint8Array(8), 5000);
        });`;
      const index = new URL("../index.ts", import.meta.url).href;
      const workerData = { index, flag, segment: memory.name, semaphoreName, queueName };
      const worker = new Worker(script, { eval: true, workerData });
      const ended = once(worker, "exit");
      await once(worker, "online");
      const words = memory.mapping.words;
      const startMs = performance.now();
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
      expect(semaphore.wait(Number.POSITIVE_INFINITY)).toBe(true);
      expect(queue.receive(new Uint8Array(8), Number.POSITIVE_INFINITY)).toBe(1);
      while (Atomics.load(words, 0) === 0) expect(futex.wait(0, Number.POSITIVE_INFINITY)).not.toBe("timeout");
      expect(queue.send(Uint8Array.of(1), 0)).toBe(true);
      const other = kept(posix.MessageQueue.open(queueName, { nonBlocking: true }));
      expect(other.send(Uint8Array.of(2), Number.POSITIVE_INFINITY)).toBe(true);
      expect(performance.now() - startMs).toBeGreaterThan(200);
      expect(await ended).toEqual([0]);
    });

    it("delivers queue messages whole, by priority, empty ones too, and times out", () => {
      const queue = kept(posix.MessageQueue.create(fresh(), { maxMessages: 3, maxMessageBytes: 100 }));
      const into = new Uint8Array(100);
      expect(queue.receive(into, 0)).toBe(-1);
      expect(queue.send(new Uint8Array(0), 0, 5)).toBe(true);
      expect(queue.send(Uint8Array.of(1, 2, 3), 0, 5)).toBe(true);
      expect(queue.send(new Uint8Array(100).fill(9), 0, posix.MAX_PRIORITY)).toBe(true);
      expect(queue.attributes()).toEqual({ maxMessages: 3, maxMessageBytes: 100, currentMessages: 3 });
      const startMs = performance.now();
      expect(queue.send(Uint8Array.of(4), 30)).toBe(false);
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(28);
      expect(queue.receive(into, 0)).toBe(100);
      expect([into[99], queue.lastPriority]).toEqual([9, posix.MAX_PRIORITY]);
      expect(queue.receive(into, 0)).toBe(0);
      expect(queue.receive(into, 0)).toBe(3);
      expect([into[2], queue.lastPriority]).toEqual([3, 5]);
      expectError(
        () => queue.send(new Uint8Array(101), 0),
        "IPC_TOO_LARGE",
        "EMSGSIZE",
        /101 bytes exceed.*100.*msgsize_max/,
      );
      queue.send(new Uint8Array(50), 0);
      expectError(
        () => queue.receive(new Uint8Array(10), 0),
        "IPC_TOO_LARGE",
        undefined,
        /50 bytes does not fit in 10/,
      );
    });

    it("a futex sleeps only while the word is unchanged", () => {
      const memory = kept(posix.Mapping.anonymous(4096));
      const futex = new posix.Futex(memory, 8);
      expect(futex.wait(1, 1000)).toBe("changed");
      const startMs = performance.now();
      expect(futex.wait(0, 20)).toBe("timeout");
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(19);
      expect(futex.wake()).toBe(0);
      expect(() => new posix.Futex(memory, 1024)).toThrow(RangeError);
    });

    it("a lock shows that its owner lives, on segments and on queues", () => {
      const name = fresh();
      const owner = posix.SharedMemory.create(name, 64, { lock: true });
      const tester = kept(posix.SharedMemory.open(name));
      expect(posix.isOwned(tester.fd)).toBe(true);
      expect(posix.tryLockExclusive(tester.fd)).toBe(false);
      owner.close();
      expect(posix.isOwned(tester.fd)).toBe(false);
      const queue = posix.MessageQueue.create(fresh(), { maxMessages: 1, maxMessageBytes: 8 });
      const other = kept(posix.MessageQueue.open(queue.name));
      posix.lockExclusive(queue.fd);
      expect(posix.isOwned(other.fd)).toBe(true);
      queue.close();
      expect(posix.isOwned(other.fd)).toBe(false);
    });

    it("reads and sets the CPUs of a thread and counts what it used", () => {
      const before = posix.getAffinity();
      try {
        posix.setAffinity([before[0] as number]);
        expect(posix.getAffinity()).toEqual([before[0]]);
        expect(posix.currentCpu()).toBe(before[0]);
      } finally {
        posix.setAffinity(before);
      }
      const usage = posix.getrusage("self");
      expect(usage.maxResidentKilobytes).toBeGreaterThan(10_000);
      expect(usage.userMicroseconds).toBeGreaterThan(posix.getrusage("thread").userMicroseconds / 2);
    });

    it("keeps memory maps and descriptors constant over 500 rounds of opening and closing", () => {
      const round = (): void => {
        const name = `${prefix}-leak`;
        const segment = posix.SharedMemory.create(name, 4096);
        posix.SharedMemory.open(name).close();
        segment.close();
        posix.SharedMemory.unlink(name);
        posix.Semaphore.create(name).close();
        posix.Semaphore.unlink(name);
        posix.MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 }).close();
        posix.MessageQueue.unlink(name);
      };
      for (let i = 0; i < 20; i++) round();
      const before = resources();
      for (let i = 0; i < 500; i++) round();
      const after = resources();
      expect(after.descriptors).toBe(before.descriptors);
      // The allocator and the JIT map areas of their own now and then, in far fewer than one of ten rounds.
      expect(after.maps - before.maps).toBeLessThan(40);
    });
  });

  describe(`interoperability through ${binding}`, () => {
    const directory = mkdtempSync(join(tmpdir(), "ipcmark-interop-"));
    afterAll(() => rmSync(directory, { recursive: true, force: true }));
    const program = compile(directory);
    const c = program === undefined ? undefined : [program];
    const python = works("python3") ? ["python3", HELPER_PY] : undefined;

    for (const [language, command] of [
      ["C", c],
      ["Python", python],
    ] as const) {
      it.skipIf(command === undefined)(`a queue carries messages and priorities to and from ${language}`, async () => {
        const requests = kept(posix.MessageQueue.create(fresh()));
        const replies = kept(posix.MessageQueue.create(fresh(), { maxMessages: 1, maxMessageBytes: 8192 }));
        const child = start(command, ["queue-reverse", requests.name, replies.name]);
        requests.send(Buffer.from("regal"), 5000, 3);
        const into = Buffer.alloc(8192);
        const length = replies.receive(into, 5000);
        expect(await exit(child)).toBe("0 ");
        expect([into.toString("latin1", 0, length), replies.lastPriority]).toEqual(["lager", 4]);
      });

      it.skipIf(command === undefined)(`segment and semaphores are shared with ${language}`, async () => {
        const segment = kept(posix.SharedMemory.create(fresh(), 4096));
        const go = kept(posix.Semaphore.create(fresh()));
        const done = kept(posix.Semaphore.create(fresh()));
        segment.mapping.words[0] = 41;
        const child = start(command, ["add-one", segment.name, go.name, done.name]);
        go.post();
        expect(done.wait(5000)).toBe(true);
        expect(segment.mapping.words[0]).toBe(42);
        expect(await exit(child)).toBe("0 ");
      });
    }

    it.skipIf(c === undefined)("a futex wakes C and is woken by C", async () => {
      const segment = kept(posix.SharedMemory.create(fresh(), 4096));
      const [request, reply] = [new posix.Futex(segment.mapping, 0), new posix.Futex(segment.mapping, 1)];
      const child = start(c, ["futex-answer", segment.name]);
      Atomics.store(segment.mapping.words, 0, 1);
      request.wake();
      for (let i = 0; i < 50 && Atomics.load(segment.mapping.words, 1) === 0; i++) reply.wait(0, 100);
      expect(segment.mapping.words[1]).toBe(2);
      expect(await exit(child)).toBe("0 ");
    });
  });
}

function expectError(run: () => unknown, code: string, errno: string | RegExp | undefined, message: RegExp): void {
  let seen: unknown;
  try {
    run();
  } catch (error) {
    seen = error;
  }
  if (!isIpcError(seen)) throw new Error(`expected an IpcError, saw ${String(seen)}`);
  expect(seen.message).toMatch(message);
  expect(seen.code).toBe(code);
  if (errno !== undefined) expect(seen.errno).toMatch(errno);
  if (seen.errno !== undefined) expect(errnoName((seen.cause as SystemErrorCause).errno)).toBe(seen.errno);
}

function statfs(path: string): { bsize: number; blocks: number } {
  const [bsize, blocks] = execFileSync("stat", ["-f", "-c", "%S %b", path], { encoding: "utf8" })
    .split(" ")
    .map(Number);
  return { bsize: bsize as number, blocks: blocks as number };
}

function resources(): { maps: number; descriptors: number } {
  const maps = readFileSync("/proc/self/maps", "latin1").split("\n").length;
  return { maps, descriptors: readdirSync("/proc/self/fd").length };
}

function works(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function compile(directory: string): string | undefined {
  if (!works("cc")) return undefined;
  const program = join(directory, "helper");
  execFileSync("cc", ["-O1", "-Wall", "-Werror", "-o", program, HELPER_C, "-pthread", "-lrt"]);
  return program;
}

function start(command: readonly string[] | undefined, args: readonly string[]): ChildProcess {
  const [file, ...first] = command ?? [];
  return spawn(file as string, [...first, ...args], { stdio: ["ignore", "ignore", "pipe"], timeout: 10_000 });
}

/** Returns the exit code and the standard error. */
async function exit(child: ChildProcess): Promise<string> {
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  return `${child.exitCode ?? child.signalCode} ${text}`;
}
