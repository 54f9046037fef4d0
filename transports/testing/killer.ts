import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/**
 * Kills a process from a worker, while the thread that started the worker sleeps in a blocking call. Then measures how
 * late a timer of 5 ms fires, since a busy machine delays the sleeper as well. `clock[0]` is the last time at which the
 * killed process was alive (ms since the epoch, 0 before the kill): a process may need time to die, and no client can
 * notice its death earlier. `clock[1]` is the largest lateness so far.
 */
export interface KillOrder {
  readonly pid: number;
  readonly afterMs: number;
  readonly clock: Float64Array;
}

const TICK_MS = 5;
const { pid, afterMs, clock } = workerData as KillOrder;
const now = (): number => performance.timeOrigin + performance.now();

let expected = now() + TICK_MS;
setInterval(() => {
  clock[1] = Math.max(clock[1] as number, now() - expected);
  expected = now() + TICK_MS;
}, TICK_MS);
setTimeout(() => {
  process.kill(pid, "SIGKILL");
  clock[0] = now();
  setInterval(() => {
    if (lives()) clock[0] = now();
  }, 1);
}, afterMs);

/** True until the descriptors of a dying process are closed (Linux; elsewhere the kill itself counts). */
function lives(): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.charAt(stat.lastIndexOf(")") + 2) !== "Z";
  } catch {
    return false;
  }
}
parentPort?.once("message", () => process.exit());
