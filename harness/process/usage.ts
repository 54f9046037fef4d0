import { PerformanceObserver } from "node:perf_hooks";
import type { UsageReport } from "./messages.ts";
import { treeUsage } from "./process-tree.ts";

let gcPauseNs = 0;
let watching: PerformanceObserver | undefined;

/** Counts garbage-collection pauses. Node reports them in the event loop, so a blocking process counts them late. */
export function watchGarbageCollection(): void {
  watching ??= new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) gcPauseNs += entry.duration * 1e6;
  });
  watching.observe({ entryTypes: ["gc"] });
}

let countsChildren = false;

/** Makes `readUsage` count the processes that this one has started: a broker belongs to the cost of a message. */
export function countChildren(): void {
  countsChildren = true;
}

/** Returns the usage of this process, all its threads, since its start, and of its children if they count. */
export function readUsage(): UsageReport {
  const own = readOwn();
  if (!countsChildren) return own;
  const children = treeUsage(process.pid, { withRoot: false });
  return {
    ...own,
    cpuMicros: own.cpuMicros + children.cpuMicros,
    voluntarySwitches: own.voluntarySwitches + children.voluntarySwitches,
    involuntarySwitches: own.involuntarySwitches + children.involuntarySwitches,
    peakMemoryBytes: own.peakMemoryBytes + children.peakMemoryBytes,
  };
}

/** Reads getrusage(RUSAGE_SELF). */
function readOwn(): UsageReport {
  for (const entry of watching?.takeRecords() ?? []) gcPauseNs += entry.duration * 1e6;
  const usage = process.resourceUsage();
  return {
    type: "usage",
    cpuMicros: usage.userCPUTime + usage.systemCPUTime,
    voluntarySwitches: usage.voluntaryContextSwitches,
    involuntarySwitches: usage.involuntaryContextSwitches,
    // Node reports kilobytes.
    peakMemoryBytes: usage.maxRSS * 1024,
    gcPauseNs: Math.round(gcPauseNs),
  };
}
