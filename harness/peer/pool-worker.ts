/** Thread of the pool: takes a queued slot, waits for the time stated there, and copies the input to the output. */
import { parentPort, workerData } from "node:worker_threads";
import { POOL } from "../../scenarios/check.ts";
import { HEAD_BYTES, SLOT_BYTES, SLOTS, Slot } from "./pool.ts";

/** Longest wait, ms. Its value does not matter; it exists because every wait must have a limit. */
const WAIT_MS = 1000;

const shared = workerData as SharedArrayBuffer;
const head = new Int32Array(shared, 0, 1 + SLOTS);
const idle = new Int32Array(new SharedArrayBuffer(4));

function take(): number {
  for (let slot = 0; slot < SLOTS; slot++) {
    if (Atomics.compareExchange(head, 1 + slot, Slot.queued, Slot.running) === Slot.queued) return slot;
  }
  return -1;
}

for (;;) {
  const seen = Atomics.load(head, 0);
  const slot = take();
  if (slot < 0) {
    Atomics.wait(head, 0, seen, WAIT_MS);
    continue;
  }
  const at = HEAD_BYTES + slot * SLOT_BYTES;
  const [length, delayMs] = new Uint32Array(shared, at, 2) as unknown as [number, number];
  if (delayMs > 0) Atomics.wait(idle, 0, 0, delayMs);
  const body = new Uint8Array(shared, at + 8, length);
  new Uint8Array(shared, at + 8 + POOL.maxBodyBytes, length).set(body);
  Atomics.store(head, 1 + slot, Slot.done);
  parentPort?.postMessage(slot);
}
