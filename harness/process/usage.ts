import { PerformanceObserver } from "node:perf_hooks";
import type { UsageReport } from "./messages.ts";

let gcPauseNs = 0;
let watching: PerformanceObserver | undefined;

/** Counts garbage-collection pauses. They arrive with the event loop, so a blocking process reads them late. */
export function watchGarbageCollection(): void {
  watching ??= new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) gcPauseNs += entry.duration * 1e6;
  });
  watching.observe({ entryTypes: ["gc"] });
}

/** Returns what this process has used since it started: getrusage(RUSAGE_SELF), all threads. */
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
