/** Reads what processes hold from outside (Linux): private memory, descriptors, threads. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { HeldResources } from "../results/measurement.ts";

/**
 * Returns the sums over these processes.
 *
 * Private memory is what ends with the process: pages that no other process maps (proc(5), `smaps_rollup`). The
 * resident size would count the code of Node once for each process, although all of them share it.
 *
 * @throws Error without `/proc`, or when one of the processes has ended
 */
export function heldBy(pids: readonly number[]): HeldResources {
  const total = (of: (pid: number) => number): number => pids.reduce((sum, pid) => sum + of(pid), 0);
  return {
    processes: pids.length,
    privateBytes: total(privateBytesOf),
    descriptors: total((pid) => readdirSync(`/proc/${pid}/fd`).length),
    threads: total((pid) => readdirSync(`/proc/${pid}/task`).length),
  };
}

function privateBytesOf(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const found = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s*(\d+) kB$/gm)];
  return found.reduce((sum, [, kibibytes]) => sum + 1024 * Number(kibibytes), 0);
}
/** Returns whether this system shows the private memory of processes (Linux 4.14 or newer). */
export function canReadMemory(): boolean {
  return existsSync("/proc/self/smaps_rollup");
}
