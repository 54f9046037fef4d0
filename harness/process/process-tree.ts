/** Reads a process and all processes it has started from outside (Linux), for programs that report nothing. */
import { readdirSync, readFileSync } from "node:fs";
import type { UsageReport } from "./messages.ts";
import { statFields } from "./stat-fields.ts";

/** Length of a clock tick of /proc: a hundredth of a second on every architecture on which Node runs. */
const TICK_MICROS = 10_000;

/** Returns the ids of a process, of its descendants, and of the rest of its session; none without /proc. */
export function processTree(root: number): number[] {
  const stats = [...statsOfAll()];
  const found = new Set<number>();
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const [pid, { parent, session }] of stats) {
      if (pid === root || session === root || found.has(parent)) found.add(pid);
    }
  }
  return [...found];
}

/**
 * Returns the sums of CPU time, context switches and peak memory of a process tree (proc(5): `utime` and `stime`, also
 * of ended children, and `VmHWM`). Pauses of a garbage collector cannot be seen from outside and are reported as 0.
 *
 * CPU time is exact as long as no thread has ended; the time of ended threads is counted in hundredths of a second.
 *
 * @param withRoot false leaves out the process itself
 */
export function treeUsage(root: number, { withRoot = true } = {}): UsageReport {
  const sum = { cpuMicros: 0, voluntarySwitches: 0, involuntarySwitches: 0, peakMemoryBytes: 0 };
  for (const pid of processTree(root)) {
    if (pid === root && !withRoot) continue;
    const stat = statOf(pid);
    if (stat === undefined) continue;
    const threads = threadsOf(pid);
    sum.cpuMicros += Math.max(stat.ownTicks * TICK_MICROS, threads.cpuMicros) + stat.endedTicks * TICK_MICROS;
    sum.voluntarySwitches += threads.voluntarySwitches;
    sum.involuntarySwitches += threads.involuntarySwitches;
    sum.peakMemoryBytes += 1024 * numberIn(read(`/proc/${pid}/status`), "VmHWM");
  }
  return { type: "usage", ...sum, cpuMicros: Math.round(sum.cpuMicros), gcPauseNs: 0 };
}

interface Stat {
  readonly parent: number;
  readonly session: number;
  /** CPU time of the process itself and (endedTicks) of its ended children, in clock ticks. */
  readonly ownTicks: number;
  readonly endedTicks: number;
}

function* statsOfAll(): Generator<readonly [pid: number, stat: Stat]> {
  for (const name of list("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat !== undefined) yield [Number(name), stat];
  }
}

function statOf(pid: number): Stat | undefined {
  const fields = statFields(pid)?.map(Number);
  if (fields === undefined) return undefined;
  const [, parent = 0, , session = 0] = fields;
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11);
  return { parent, session, ownTicks: user + system, endedTicks: endedUser + endedSystem };
}

function threadsOf(pid: number): Pick<UsageReport, "cpuMicros" | "voluntarySwitches" | "involuntarySwitches"> {
  const sum = { cpuMicros: 0, voluntarySwitches: 0, involuntarySwitches: 0 };
  for (const thread of list(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${thread}`;
    // The first of three numbers is the time on a CPU, ns.
    sum.cpuMicros += (Number.parseInt(read(`${directory}/schedstat`), 10) || 0) / 1000;
    const status = read(`${directory}/status`);
    sum.voluntarySwitches += numberIn(status, "voluntary_ctxt_switches");
    sum.involuntarySwitches += numberIn(status, "nonvoluntary_ctxt_switches");
  }
  return sum;
}

function numberIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

/** Returns the names in a directory; none without /proc, or if the process has just ended. */
function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
