import { isMainThread, Worker, workerData } from "node:worker_threads";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const BYTES = 1024 * 1024;
/** Limit of one wait, ms: a wait without any is 0.4 µs faster, and nothing could end the thread. */
const LIMIT_MS = 100;

/** One direction: a counter of messages that the reader waits on, a length, and the bytes behind them. */
class Lane {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array;
  #seen = 0;

  constructor(memory = new SharedArrayBuffer(8 + BYTES)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 2);
    this.#bytes = new Uint8Array(memory, 8);
  }

  send(message: Uint8Array): void {
    this.#bytes.set(message);
    this.#words[1] = message.length;
    Atomics.add(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  /** Resolves with the next message, in memory of its own. */
  async receive(): Promise<Buffer> {
    const wait = Atomics.waitAsync(this.#words, 0, this.#seen);
    if (wait.async) await wait.value;
    return this.#take();
  }

  /** Returns the next message, in memory of its own. The thread sleeps, with a limit, after which it could end. */
  receiveSync(): Buffer {
    while (Atomics.wait(this.#words, 0, this.#seen, LIMIT_MS) === "timed-out");
    return this.#take();
  }

  #take(): Buffer {
    this.#seen++;
    return Buffer.from(this.#bytes.subarray(0, this.#words[1]));
  }
}

/** Both ends in one thread, as the harness hosts them. */
export const atomics: EchoArm = {
  async exchange(_where, load) {
    const [requests, replies] = [new Lane(), new Lane()];
    // A pending `waitAsync` does not keep the thread running.
    const keeper = setInterval(() => undefined, 1000);
    const serve = async (): Promise<void> => {
      for (;;) replies.send(answer(await requests.receive()));
    };
    void serve();
    for (let request = load.next(); request; request = load.next()) {
      requests.send(request);
      load.accept(await replies.receive());
    }
    clearInterval(keeper);
  },
};

/** Two threads that sleep. */
export const blocking: EchoArm = {
  ours: { id: "worker/atomics", mode: "blocking" },
  async exchange(_where, load) {
    const [requests, replies] = [new Lane(), new Lane()];
    new Worker(new URL(import.meta.url), { workerData: [requests.memory, replies.memory] });
    for (let request = load.next(); request; request = load.next()) {
      requests.send(request);
      load.accept(replies.receiveSync());
    }
  },
};

if (!isMainThread && Array.isArray(workerData)) {
  const [requests, replies] = (workerData as SharedArrayBuffer[]).map((memory) => new Lane(memory));
  for (;;) (replies as Lane).send(answer((requests as Lane).receiveSync()));
}
