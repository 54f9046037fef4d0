import { readdirSync, readFileSync, statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { statFields } from "./stat-fields.ts";

/** Environment variable with the prefix of a run. Children inherit it, and so do their children. */
export const RUN_VARIABLE = "IPCMARK_RUN";

/** Maximum number of passes over the process list. A process created during a pass is found by the next pass. */
const MOST_LOOKS = 50;

/**
 * Ends the remaining processes of a run: stopped ones, and those never reported to the coordinator. All others end by
 * themselves when their stdin closes. Signals only processes of this user that have the run's variable.
 * Works only on Linux, because elsewhere they cannot be found.
 *
 * @returns number of processes ended
 */
export async function endOrphans(prefix: string): Promise<number> {
  const ended = new Set<number>();
  for (let look = 0; look < MOST_LOOKS; look++) {
    const found = ownProcesses().filter((pid) => isOfRun(pid, prefix));
    if (found.length === 0) break;
    for (const pid of found) {
      ended.add(pid);
      kill(pid);
    }
    await setImmediate();
  }
  return ended.size;
}

/**
 * Ends a process group of the run, even if its leader is gone. Other processes may have its number by now, so on Linux
 * this signals only members with the run's variable.
 *
 * @param run prefix of the run; default: the one of this process
 */
export function endGroup(pid: number, run: string | undefined = process.env[RUN_VARIABLE]): void {
  try {
    process.kill(-pid, 0);
  } catch {
    // There is no such group any more, which is the usual case.
    return;
  }
  if (process.platform !== "linux") kill(-pid);
  else if (run !== undefined) {
    for (const member of ownProcesses()) if (groupOf(member) === pid && isOfRun(member, run)) kill(member);
  }
}

/** Ends a group. Its leader must be a child of this process that is not reaped, so that the number is still its own. */
export function killGroup(pid: number): void {
  kill(-pid);
}

/** Returns the runs with living processes of this user, and these processes. */
export function processesByRun(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const pid of ownProcesses()) {
    const run = environmentOf(pid).find((entry) => entry.startsWith(`${RUN_VARIABLE}=`));
    const prefix = run?.slice(RUN_VARIABLE.length + 1);
    if (prefix !== undefined) found.set(prefix, [...(found.get(prefix) ?? []), pid]);
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended meanwhile.
  }
}

function ownProcesses(): number[] {
  if (process.platform !== "linux") return [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => pid !== process.pid && isOurs(pid));
}

function isOurs(pid: number): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

function isOfRun(pid: number, prefix: string): boolean {
  return environmentOf(pid).includes(`${RUN_VARIABLE}=${prefix}`);
}

/** Returns an empty list for a process that has ended or may not be inspected. */
function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function groupOf(pid: number): number | undefined {
  const group = statFields(pid)?.[2];
  return group === undefined ? undefined : Number(group);
}
