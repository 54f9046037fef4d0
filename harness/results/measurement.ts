import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Placement } from "./placement.ts";
import type { Warning } from "./warnings.ts";

/** Percentiles of one distribution, ns. Absent where fewer than 20 samples lie beyond it. */
export interface Quantiles {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90?: number;
  readonly p99?: number;
  readonly p999?: number;
  readonly max: number;
  readonly mean: number;
}

export type Interval = readonly [low: number, high: number];

/** One fresh pair of processes, one cell. */
export interface Trial {
  readonly round: number;
  readonly startedAtMs: number;
  readonly status: "valid" | "invalid";
  /** Why it is invalid, such as "2 messages lost". */
  readonly reason?: string;
  /** Round trips, ns; absent for one-way models. */
  readonly latencyNs?: Quantiles;
  readonly messagesPerSecond: number;
  readonly cpuNsPerMessage: number | null;
  readonly contextSwitchesPerMessage: number | null;
  readonly peakMemoryBytes: number | null;
  readonly gcPauseNs: number | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** HdrHistogram V2, compressed, base64, values in ns. */
  readonly histogram?: string;
  readonly voluntarySwitchesPerMessage?: number | null;
  readonly involuntarySwitchesPerMessage?: number | null;
  readonly peakMemory?: PeakMemory | null;
  /** p50 of the first and of the second half of the samples, ns. */
  readonly halvesNs?: readonly [first: number, second: number];
  /** Open loop: how much later than intended the driver came round to sending, ns. */
  readonly latenessNs?: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly histogram?: string;
  };
  /** Of `idle`: CPU time over wall time of both processes. */
  readonly idleCpuShare?: number;
  /** Of `open-close`: medians of its parts, ns. */
  readonly phasesNs?: Readonly<Record<string, number>>;
  /** An open-loop point whose schedule the driver could not keep: invalid without being a fault of the mechanism. */
  readonly refused?: boolean;
}

/** Peaks of the lives of the processes, bytes; of all client processes together on the driver's side. */
export interface PeakMemory {
  readonly driver: number;
  readonly peer: number | null;
}

export interface Measurement {
  readonly benchmark: string;
  readonly model: string;
  readonly transport: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  /** Bytes of application data per message; the 16-byte header comes on top. */
  readonly payloadBytes: number;
  readonly inFlight: number;
  readonly clients: number;
  readonly ratePerSecond: number | null;
  /** Id of the codec; `raw`, without a `corpus`, where nothing is converted. */
  readonly codec: string;
  /**
   * Of `codec-round-trip`: the kind of value that travels, such as `table-200`. `payloadBytes` is then the size `codec` encodes it to
   * (of a stateful codec any but the first), so rows of one corpus are compared with one another whatever their sizes.
   */
  readonly corpus?: string;
  readonly peer: { readonly language: string; readonly version: string };
  /** `unavailable`: this machine has too little of something, so nothing is known of the mechanism. */
  readonly status: "measured" | "failed" | "not-applicable" | "unavailable";
  readonly reason?: string;
  /** Messages per trial, fixed before the first round; null where the cell never ran. */
  readonly messages: number | null;
  /** Median over trials of the trial's percentile. Absent for one-way models. */
  readonly latencyNs?: Quantiles;
  /** 95 % order-statistic intervals of the median over trials; absent with fewer than 6 trials. */
  readonly interval: { readonly p50?: Interval; readonly p99?: Interval; readonly messagesPerSecond?: Interval };
  readonly messagesPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  readonly cpuNsPerMessage: number | null;
  readonly contextSwitchesPerMessage: number | null;
  readonly peakMemoryBytes: number | null;
  readonly gcPauseNs: number | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly trials: readonly Trial[];
  /** All trials merged (base64, as in a trial): feeds the percentile plot only. */
  readonly histogram?: string;
  readonly warnings: readonly Warning[];
  /** Open loop: how requests arrive. */
  readonly arrivals?: "fixed" | "poisson";
  /** Pipelines: whether the next requests were sent together. */
  readonly batched?: boolean;
  readonly voluntarySwitchesPerMessage?: number | null;
  readonly involuntarySwitchesPerMessage?: number | null;
  /** Medians over trials. */
  readonly peakMemory?: PeakMemory | null;
  /** Medians over trials; the histogram is all trials merged. */
  readonly latenessNs?: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly histogram?: string;
  };
  readonly idleCpuShare?: number | null;
  readonly phasesNs?: Readonly<Record<string, number>>;
  /** Lost of sent, 0 to 1: of mechanisms that say they lose. */
  readonly lossShare?: number;
  readonly stationarity?: Stationarity;
  /** What plain C does with the same mechanism, placement and size: its p50, ns, and how many times as long this row takes. */
  readonly cBaseline?: CComparison;
}

/** Ratios are medians over the rounds, and more than 1 where plain C is faster. */
export interface CComparison {
  readonly transport: string;
  readonly p50: number;
  readonly ratio: number;
  readonly interval: Interval | null;
}

/** Second half over first half: 1 when nothing drifts. */
export interface Stationarity {
  /** Within a trial: median over trials of p50(second half) / p50(first half), with its interval. */
  readonly withinTrial: { readonly ratio: number; readonly interval: Interval | null } | null;
  /** Over the run: median p50 of the later half of the rounds over that of the earlier half. */
  readonly overRun: number | null;
}
