import { closeSync, mkdtempSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libc } from "../../../transports/posix/binding.ts";
import { eventfd } from "../../../transports/posix/eventfd.ts";
import { Mapping } from "../../../transports/posix/mapping.ts";
import { MessageQueue } from "../../../transports/posix/message-queue.ts";
import { bindPath, connectPath, MSG_DONTWAIT, unixSocket } from "../../../transports/posix/unix-socket.ts";
import { REGISTRY } from "../../../transports/registry.ts";

/**
 * One start of the soak in starts.ts: loads and probes all transports, then calls every hot function of the binding
 * between allocations and collections until V8 has optimized each caller, and for a while after.
 * Run with `--expose-gc --allow-natives-syntax`. Prints one line of JSON.
 */
const BATCH_CALLS = 100;
/** Most rounds; all callers are optimized after some 20. */
const MAX_ROUNDS = 400;
const ROUNDS_AFTER = 10;
const GARBAGE_PIECES = 200;
const MESSAGE_BYTES = 64;
const FUTEX_WAKE = 1;
const FUTEX_NUMBER = process.arch === "arm64" ? 98 : 202;
const CLOCK_MONOTONIC = 1;
const LOCK_SH = 1;
const LOCK_UN = 8;

interface Natives {
  optimizeNow(f: () => number): void;
  status(f: () => unknown): number;
}
/** Natives of V8, as text: the parser of TypeScript rejects them. */
const natives = new Function(`return {
  optimizeNow(f) { %PrepareFunctionForOptimization(f); f(); %OptimizeFunctionOnNextCall(f); f(); },
  status(f) { return %GetOptimizationStatus(f); },
}`)() as Natives;
/** Function that is compiled on demand and shows the bits of that state, which differ between versions of V8. */
const reference = (): number => FUTEX_NUMBER * 2;
natives.optimizeNow(reference);
const OPTIMIZED = natives.status(reference);

const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
const name = `/${directory.split("/").at(-1)}`;
const api = libc();
const memory = Mapping.anonymous(4096);
const queue = MessageQueue.create(name, { maxMessages: 2, maxMessageBytes: MESSAGE_BYTES });
MessageQueue.unlink(name);
const counter = eventfd(1);
const socket = unixSocket("datagram", true);
const path = join(directory, "socket");
bindPath(socket, path);
connectPath(socket, path);
rmSync(directory, { recursive: true });

const at = (offset: number): number => memory.pointer(offset);
const [semaphore, message, size, poll, never] = [at(0), at(64), at(256), at(512), at(1024)];
/** `struct timespec` 0: a moment in the past. */
const over = at(2048);
memory.words[128] = counter;
memory.words[129] = 1;
memory.words[256] = 2 ** 30;
memory.words[16] = 1;

/** Functions with one call each and type feedback of their own. None of them waits. */
const callers: readonly (() => unknown)[] = [
  () => api.sem_post(semaphore),
  () => api.sem_trywait(semaphore),
  () => api.sem_post(semaphore),
  () => api.sem_clockwait(semaphore, CLOCK_MONOTONIC, over),
  () => api.mq_timedsend(queue.fd, message, MESSAGE_BYTES, 0, over),
  () => api.mq_timedreceive(queue.fd, message, MESSAGE_BYTES, size, over),
  () => api.mq_send(queue.fd, message, MESSAGE_BYTES, 0),
  () => api.mq_timedreceive(queue.fd, message, MESSAGE_BYTES, size, never),
  () => api.syscall(FUTEX_NUMBER, semaphore, FUTEX_WAKE, 1, 0),
  () => api.write(counter, message, 8),
  () => api.poll(poll, 1, 0),
  () => api.read(counter, message, 8),
  () => api.send(socket, message, MESSAGE_BYTES, MSG_DONTWAIT),
  () => api.recv(socket, message, MESSAGE_BYTES, MSG_DONTWAIT),
  () => api.flock(queue.fd, LOCK_SH),
  () => api.flock(queue.fd, LOCK_UN),
  () => api.getpid(),
  () => api.sched_getcpu(),
  () => api.errno(),
];

const isOptimized = (caller: () => unknown): boolean => (natives.status(caller) & OPTIMIZED) === OPTIMIZED;
const collect = (globalThis as { gc?: (options?: { type: "minor" | "major" }) => void }).gc;
let garbage: unknown[] = [];

/** Fills and frees small pieces of both heaps, so that freed memory still in use holds something else. */
function churn(round: number): void {
  garbage = [];
  for (let piece = 0; piece < GARBAGE_PIECES; piece++) {
    garbage.push(Buffer.allocUnsafeSlow(16 + (piece % 24) * 8).fill(0xa5), { piece, text: String(piece) });
  }
  const mapping = Mapping.anonymous(4096);
  mapping.words[0] = round;
  mapping.close();
  collect?.({ type: round % 4 === 0 ? "major" : "minor" });
}

for (const { load } of REGISTRY) await (await load()).probe();
let left = ROUNDS_AFTER;
for (let round = 0; round < MAX_ROUNDS && left > 0; round++) {
  churn(round);
  for (let call = 0; call < BATCH_CALLS; call++) for (const caller of callers) caller();
  // A turn of the event loop: finished compilations are installed, finalizers run.
  await new Promise(setImmediate);
  if (callers.every(isOptimized)) left--;
}
closeSync(counter);
closeSync(socket);
queue.close();
memory.close();
const optimized = callers.filter(isOptimized).length;
writeSync(
  1,
  `${JSON.stringify({ node: process.versions.node, binding: api.binding, callers: callers.length, optimized })}\n`,
);
