/** Figures of one window of a cell, as a driver reports them. */

import type { ServerMemory } from "../results/model.ts";

/** Exact quantiles of samples, ns. */
export interface LatencySummary {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}
export interface CellFigures {
  readonly messages: number;
  readonly elapsedNs: number;
  /** All samples, see `packSamples`; the coordinator makes a histogram of them. Null for models without latencies. */
  readonly samples: string | null;
  /** Exact quantiles of the samples, ns; null for models without latencies. */
  readonly latencyNs: LatencySummary | null;
  readonly cpuNs: number | null;
  readonly contextSwitches: number | null;
  readonly voluntarySwitches: number | null;
  readonly involuntarySwitches: number | null;
  readonly peakMemoryBytes: number | null;
  readonly peakMemory: { readonly driver: number; readonly peer: number | null } | null;
  readonly gcPauseNs: number | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** p50 of the first and of the second half of the samples, ns; null with fewer than 100. */
  readonly halvesNs: readonly [first: number, second: number] | null;
  /** Open loop: delay of the driver's sends behind their intended times, ns. */
  readonly latenessNs: Lateness | null;
  /** Model `idle`: CPU time over wall time, all processes together. */
  readonly idleCpuShare: number | null;
  /** Calibrations of `workload`: highest rate that was kept, requests/s, if it is below the requested rate. */
  readonly keptPerSecond: number | null;
  /** Models `open-close` and `cold-start`: medians of the parts of one operation, ns. */
  readonly phasesNs: Readonly<Record<string, number>> | null;
  /** Model `clients-memory`: what its servers hold. */
  readonly serverMemory: ServerMemory | null;
  /** Exact quantiles of each group of recorded messages, ns. */
  readonly groups?: readonly GroupSummary[];
}
/** Latencies of the messages of one group. */
export interface GroupSummary {
  readonly name: string;
  readonly latencyNs: LatencySummary;
}
export interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Histogram in base64, in the format of the histogram of latencies. */
  readonly histogram: string;
}
