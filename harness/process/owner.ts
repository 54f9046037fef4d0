import { readFileSync } from "node:fs";

/** Who a run directory belongs to: a pid alone is reused, with its start time and the boot it is unique. */
export interface Owner {
  readonly uid: number;
  readonly pid: number;
  /** Field 22 of /proc/pid/stat (clock ticks since boot); null off Linux, where only the pid is compared. */
  readonly startTime: string | null;
  readonly bootId: string | null;
}

export function currentOwner(): Owner {
  return {
    uid: process.getuid?.() ?? -1,
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    bootId: readOrNull("/proc/sys/kernel/random/boot_id"),
  };
}

export function isAlive(owner: Owner): boolean {
  if (owner.bootId !== readOrNull("/proc/sys/kernel/random/boot_id")) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it exists and is not ours.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return owner.startTime === null || startTimeOf(owner.pid) === owner.startTime;
}

function startTimeOf(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  // The program name is in parentheses and may hold spaces: count fields after the last one.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
