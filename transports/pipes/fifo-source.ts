import { randomBytes } from "node:crypto";
import { closeSync, constants as fs, openSync, readSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { type ByteSource, SyncSource } from "../support/sync-stream.ts";

/** Waits shorter than this, ms, poll: the thread below ends a wait only to about 20 ms exactly. */
const SHORT_MS = 40;
const MARK_BYTES = 16;

/** State of a read that waits in the kernel. */
const State = { idle: 0, waiting: 1, ending: 2, marked: 3, unmarked: 4 } as const;
/** Places in the memory that is shared with the thread that ends reads. */
const STATE = 0;
const DESCRIPTOR = 1;

/**
 * Program of the thread that ends reads: every 20 ms it compares the deadline with the clock. A wake-up per message
 * would cost more than the message.
 */
const ENDER = `
const { openSync, writeSync, closeSync, constants: fs } = require("node:fs");
const { shared, deadline, mark } = require("node:worker_threads").workerData;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(sleeper, 0, 0, 20);
  if (Atomics.load(shared, ${STATE}) !== ${State.waiting}) continue;
  if (performance.timeOrigin + performance.now() < deadline[0]) continue;
  if (Atomics.compareExchange(shared, ${STATE}, ${State.waiting}, ${State.ending}) !== ${State.waiting}) continue;
  let outcome = ${State.unmarked};
  try {
    const fd = openSync("/proc/self/fd/" + shared[${DESCRIPTOR}], fs.O_WRONLY | fs.O_NONBLOCK);
    try {
      writeSync(fd, mark);
      outcome = ${State.marked};
    } finally {
      closeSync(fd);
    }
  } catch {
    // The pipe is full, so the read has ended already.
  }
  Atomics.store(shared, ${STATE}, outcome);
  Atomics.notify(shared, ${STATE});
}`;

const now = (): number => performance.timeOrigin + performance.now();

/** Ends reads of this thread. One serves all FIFOs, because a thread waits in one read at a time. */
class Ender {
  readonly mark = randomBytes(MARK_BYTES);
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  readonly #deadline = new Float64Array(new SharedArrayBuffer(8));

  constructor() {
    const workerData = { shared: this.#shared, deadline: this.#deadline, mark: this.mark };
    new Worker(ENDER, { eval: true, workerData, execArgv: [] }).unref();
  }

  begin(fd: number, timeoutMs: number): void {
    this.#deadline[0] = now() + timeoutMs;
    this.#shared[DESCRIPTOR] = fd;
    Atomics.store(this.#shared, STATE, State.waiting);
  }

  /** Returns true if the mark was written into the FIFO since `begin`. */
  end(): boolean {
    const shared = this.#shared;
    if (Atomics.compareExchange(shared, STATE, State.waiting, State.idle) === State.waiting) return false;
    while (Atomics.load(shared, STATE) === State.ending) Atomics.wait(shared, STATE, State.ending, 1);
    return Atomics.exchange(shared, STATE, State.idle) === State.marked;
  }
}

let ender: Ender | undefined;

/**
 * Reads a FIFO with `readSync` on a descriptor that blocks, so that a wait costs no CPU time, and still keeps a time
 * limit (Linux).
 *
 * Nothing in Node can interrupt that call. So a second thread writes a mark into the same FIFO when the time is over:
 * 16 random bytes, in one write below PIPE_BUF, so that they stay together. They are removed wherever they came between
 * the bytes of the other side.
 */
export class FifoSource implements ByteSource {
  readonly #polled: SyncSource;
  readonly #fd: number;
  #rest: Buffer = Buffer.alloc(0);

  /** @param input non-blocking descriptor of the FIFO; closed with this object */
  constructor(input: number) {
    this.#polled = new SyncSource(input, () => closeSync(input));
    // A second opening of the same FIFO, because a descriptor blocks or does not for all who use it.
    this.#fd = openSync(`/proc/self/fd/${input}`, fs.O_RDONLY);
  }

  read(into: Uint8Array, timeoutMs: number): number {
    if (this.#rest.length > 0) {
      const bytes = this.#rest.copy(into);
      this.#rest = this.#rest.subarray(bytes);
      return bytes;
    }
    if (timeoutMs < SHORT_MS) return this.#polled.read(into, timeoutMs);
    ender ??= new Ender();
    ender.begin(this.#fd, timeoutMs);
    const bytes = readSync(this.#fd, into);
    return ender.end() ? this.#withoutMark(into, bytes, ender.mark) : bytes;
  }

  /** Returns what came besides the mark; -1 if nothing did. */
  #withoutMark(into: Uint8Array, bytes: number, mark: Buffer): number {
    let came = Buffer.from(into.subarray(0, bytes));
    let at = came.indexOf(mark);
    while (at < 0) {
      // The mark lies behind what the other side wrote at the same moment.
      const more = Buffer.allocUnsafe(into.length);
      const count = readSync(this.#fd, more);
      came = Buffer.concat([came, more.subarray(0, count)]);
      at = came.indexOf(mark);
    }
    this.#rest = Buffer.concat([came.subarray(0, at), came.subarray(at + MARK_BYTES)]);
    return this.#rest.length === 0 ? -1 : this.read(into, 0);
  }

  finish(): void {}

  close(): void {
    closeSync(this.#fd);
    this.#polled.close();
  }
}
