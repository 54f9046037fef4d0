import { PerformanceObserver } from "node:perf_hooks";
import type { UsageReport } from "./messages.ts";

let gcPauseNs = 0;
let watching: PerformanceObserver | undefined;

/** Counts garbage-collection pauses. Node reports them in the event loop, so a blocking process counts them late. */
export function watchGarbageCollection(): void {
  watching ??= new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) gcPauseNs += entry.duration * 1e6;
  });
  watching.observe({ entryTypes: ["gc"] });
}

/** Returns the usage of this process, all its threads, since its start: getrusage(RUSAGE_SELF). */
export function readUsage(): UsageReport {
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
