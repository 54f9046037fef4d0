import { POOL } from "../../scenarios/check.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import { copyOf } from "../rpc/message.ts";
import { delayMsOf } from "./handlers.ts";

/** States of a job's slot in the shared memory. */
export const Slot = { free: 0, queued: 1, running: 2, done: 3 } as const;

/** Number of slots. The shared memory begins with a word that changes with every new job; then the slots' states. */
export const SLOTS: number = POOL.workers + POOL.queue;
export const HEAD_BYTES: number = 4 * (1 + SLOTS);
/** Size of a slot, bytes: its length, its delay, and room for input and output. */
export const SLOT_BYTES: number = 8 + 2 * POOL.maxBodyBytes;

const FILE = import.meta.url.endsWith(".ts") ? "./pool-worker.ts" : "./pool-worker.js";

interface Job<Client> {
  readonly request: Uint8Array;
  readonly client: Client;
}

/**
 * Handles requests by a fixed number of threads, so that replies come in the order in which the work ends. The queue
 * has a fixed size too; a request that does not fit is refused.
 *
 * It uses only shared memory, because the thread of a blocking server never returns to the event loop for messages.
 */
export class WorkerPool<Client> {
  readonly #shared = new SharedArrayBuffer(HEAD_BYTES + SLOTS * SLOT_BYTES);
  readonly #head = new Int32Array(this.#shared, 0, 1 + SLOTS);
  readonly #jobs: (Job<Client> | undefined)[] = new Array(SLOTS).fill(undefined);

  /** @param onDone called when a job may have ended, if there is an event loop; a blocking server polls `collect` */
  constructor(onDone: () => void) {
    // Loaded here, since few peers have a pool.
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    for (let number = 0; number < POOL.workers; number++) {
      const worker = new Worker(new URL(FILE, import.meta.url), { workerData: this.#shared });
      worker.on("message", onDone);
      worker.unref();
    }
  }

  get pending(): number {
    return this.#jobs.reduce((sum, job) => sum + (job === undefined ? 0 : 1), 0);
  }

  /** Copies the request to a slot; returns `false` if every slot is taken. */
  submit(request: Uint8Array, client: Client): boolean {
    const slot = this.#jobs.indexOf(undefined);
    const body = request.subarray(HEADER_BYTES);
    if (slot < 0 || body.length > POOL.maxBodyBytes) return false;
    this.#jobs[slot] = { request: copyOf(request), client };
    const at = HEAD_BYTES + slot * SLOT_BYTES;
    new Uint32Array(this.#shared, at, 2).set([body.length, delayMsOf(request)]);
    new Uint8Array(this.#shared, at + 8, body.length).set(body);
    Atomics.store(this.#head, 1 + slot, Slot.queued);
    Atomics.add(this.#head, 0, 1);
    Atomics.notify(this.#head, 0);
    return true;
  }

  /** Calls back for every request whose work has ended, with its body replaced by the output of the worker. */
  collect(onReply: (request: Uint8Array, client: Client) => void): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (Atomics.load(this.#head, 1 + slot) !== Slot.done) continue;
      const job = this.#jobs[slot] as Job<Client>;
      const at = HEAD_BYTES + slot * SLOT_BYTES + 8 + POOL.maxBodyBytes;
      job.request.set(new Uint8Array(this.#shared, at, job.request.length - HEADER_BYTES), HEADER_BYTES);
      this.#jobs[slot] = undefined;
      Atomics.store(this.#head, 1 + slot, Slot.free);
      onReply(job.request, job.client);
    }
  }
}
