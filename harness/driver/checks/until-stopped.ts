import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const LIMIT_MS = 2000;

/**
 * Resolves when every thread of a process that was sent SIGSTOP stands still.
 *
 * The signal returns at once, and the first thread to be scheduled stops the others: until then one of them can still
 * answer (seen with a Python server, which has a thread per connection). Without /proc it resolves at once.
 */
export async function untilStopped(pid: number): Promise<void> {
  const deadlineMs = performance.now() + LIMIT_MS;
  while (!(await isStopped(pid))) {
    if (performance.now() > deadlineMs) throw new Error(`process ${pid} runs on ${LIMIT_MS} ms after SIGSTOP`);
    await delay(1);
  }
}

async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const states = await Promise.all(threads.map((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`)));
  return states.every((state) => state === undefined || "TtZX".includes(state));
}

/** Returns the letter that proc(5) calls `state`; undefined for a thread that ended meanwhile. */
async function stateOf(path: string): Promise<string | undefined> {
  const stat = await readFile(path, "latin1").catch(() => undefined);
  return stat?.charAt(stat.lastIndexOf(")") + 2);
}
