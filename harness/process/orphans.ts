import { readdirSync, readFileSync, statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { statFields } from "./stat-fields.ts";

/** Environment variable with the prefix of a run. Children inherit it, so peers of peers have it too. */
export const RUN_VARIABLE = "IPCMARK_RUN";

/** Most passes over the process list: one that was being created during a pass is found by the next. */
const MOST_LOOKS = 50;

/**
 * Ends what still lives of a run: stopped processes, and those never reported to the coordinator. The others end by
 * themselves when their stdin closes. Signals only processes of this user that have the run's variable.
 * Linux only: elsewhere they cannot be found.
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
 * Ends a process group of the run, also one whose leader is gone. Its number may belong to others by now, so on Linux
 * only members with the run's variable are signalled.
 *
 * @param run prefix of the run; default: the one of this process
 */
export function endGroup(pid: number, run: string | undefined = process.env[RUN_VARIABLE]): void {
  try {
    process.kill(-pid, 0);
  } catch {
    // No such group, which is the usual end.
    return;
  }
  if (process.platform !== "linux") kill(-pid);
  else if (run !== undefined) {
    for (const member of ownProcesses()) if (groupOf(member) === pid && isOfRun(member, run)) kill(member);
  }
}

/** Ends a group whose leader is an unreaped child of this process, so that its number cannot belong to others. */
export function killGroup(pid: number): void {
  kill(-pid);
}

/** Returns the runs that processes of this user belong to, with those processes. */
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
    // It has ended meanwhile.
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
