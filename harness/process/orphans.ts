import { readdirSync, readFileSync, statSync } from "node:fs";

/** In the environment of every process of a run: its prefix. Children inherit it, so peers of peers have it too. */
export const RUN_VARIABLE = "IPCMARK_RUN";

/**
 * Ends what still lives of a run whose coordinator is dead. Its processes end by themselves when nobody holds their stdin, but for those
 * that were stopped at that moment: they hear of nothing. Linux only: elsewhere nobody says which processes they are.
 *
 * @returns how many were ended
 */
export function endOrphans(prefix: string): number {
  const wanted = `${RUN_VARIABLE}=${prefix}`;
  const orphans = ownProcesses().filter((pid) => environmentOf(pid).includes(wanted));
  for (const pid of orphans) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
  return orphans.length;
}

function ownProcesses(): number[] {
  if (process.platform !== "linux") return [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => pid !== process.pid && isOurs(pid));
}

function isOurs(pid: number): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

/** Empty for a process that has ended or may not be looked into. */
function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
