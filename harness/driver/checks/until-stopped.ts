import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const LIMIT_MS = 2000;

/**
 * Resolves when every thread of a process stands still after SIGSTOP.
 *
 * Sending the signal does not wait, and the first thread to be scheduled stops the others. Until then one of them can
 * still answer (seen with a Python server, which has a thread per connection). Without /proc this does not wait.
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

/** Returns the state of a thread, a letter (see proc(5)); undefined if the thread has ended meanwhile. */
async function stateOf(path: string): Promise<string | undefined> {
  const stat = await readFile(path, "latin1").catch(() => undefined);
  return stat?.charAt(stat.lastIndexOf(")") + 2);
}
