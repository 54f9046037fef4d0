import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/**
 * Kills a process, in a worker, while the thread that started it is asleep in a blocking call, and then measures how
 * late a timer of 5 ms comes: a busy machine is late for everybody, also for the sleeper. `clock[0]` is when the killed
 * process was last seen to live (ms since the epoch, 0 before the kill): a process may take its time to die, and no
 * client can learn of it earlier. `clock[1]` is the largest lateness so far.
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
