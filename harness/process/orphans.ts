import { readdirSync, readFileSync, statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** In the environment of every process of a run: its prefix. Children inherit it, so peers of peers have it too. */
export const RUN_VARIABLE = "IPCMARK_RUN";

/** A process that is being born while the others are ended is found by the next look. */
const MOST_LOOKS = 50;

/**
 * Ends what still lives of a run. Its processes end by themselves when nobody holds their stdin, but for those that are stopped, and
 * those that were never reported to the coordinator. Only processes of this user with the run's variable are signalled.
 * Linux only: elsewhere nobody says which processes they are.
 *
 * @returns how many were ended
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
 * Ends a process group of the run, also one whose leader is gone. Its number may belong to others by now, so on Linux only those members
 * are signalled that have the run's variable.
 *
 * @param run the prefix of the run; default: the one this process belongs to
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

/** Ends a process group whose leader is a child of this process and has not been reaped: its number cannot belong to others. */
export function killGroup(pid: number): void {
  kill(-pid);
}

/** The runs that processes of this user belong to, and those processes. */
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

/** Empty for a process that has ended or may not be looked into. */
function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function groupOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program name is in parentheses and may hold spaces: count fields after the last one.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
  } catch {
    return undefined;
  }
}
