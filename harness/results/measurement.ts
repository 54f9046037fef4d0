import type { MixPart, Recorded } from "../../scenarios/benchmark.ts";
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

/** Costs of both processes together; null where the system has no figure. */
interface Costs {
  readonly cpuNsPerMessage: number | null;
  readonly contextSwitchesPerMessage: number | null;
  readonly peakMemoryBytes: number | null;
  readonly gcPauseNs: number | null;
  readonly voluntarySwitchesPerMessage?: number | null;
  readonly involuntarySwitchesPerMessage?: number | null;
  readonly peakMemory?: PeakMemory | null;
}

/** Latencies of one group of recorded messages; in a row, medians over trials with their intervals. */
export interface GroupFigures {
  readonly name: string;
  readonly latencyNs: Quantiles;
  readonly interval?: { readonly p50?: Interval; readonly p99?: Interval };
}

/** Part of a row or a trial whose costs nobody measured, and which lost nothing. */
export const NO_COSTS = {
  cpuNsPerMessage: null,
  contextSwitchesPerMessage: null,
  peakMemoryBytes: null,
  gcPauseNs: null,
  lost: 0,
  duplicated: 0,
  reordered: 0,
} as const;

/** Resources that server processes hold, read from outside. */
export interface HeldResources {
  readonly processes: number;
  /** Private_Clean + Private_Dirty of `/proc/<pid>/smaps_rollup`, summed over the processes. */
  readonly privateBytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** Resources of the server side of one mechanism with its first client, and with all `clients` of the row. */
export interface ServerMemory {
  readonly one: HeldResources;
  readonly all: HeldResources;
}

/** Counts and times of one trial of one cell. */
export interface TrialFigures extends Costs {
  /** Round trips, ns; absent for one-way models. */
  readonly latencyNs?: Quantiles;
  readonly messagesPerSecond: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** HdrHistogram V2, compressed, base64, values in ns. */
  readonly histogram?: string;
  /** p50 of the first and of the second half of the samples, ns. */
  readonly halvesNs?: readonly [first: number, second: number];
  /** Open loop: delay of the driver against its schedule when it sent, ns. */
  readonly latenessNs?: Lateness;
  /** Model `idle`: CPU time over wall time of both processes. */
  readonly idleCpuShare?: number;
  /** Models `open-close` and `cold-start`: medians of the parts, ns. */
  readonly phasesNs?: Readonly<Record<string, number>>;
  /** Model `clients-memory`. */
  readonly serverMemory?: ServerMemory;
  /** Recorded messages with `--group`: latencies of each group that was sent. */
  readonly groups?: readonly GroupFigures[];
}

interface TrialBase {
  readonly round: number;
  readonly startedAtMs: number;
}

export interface ValidTrial extends TrialBase, TrialFigures {
  readonly status: "valid";
}

/** Trial that contributes no figure to its row. */
export interface InvalidTrial extends TrialBase {
  /** `refused`: the driver could not keep the schedule of an open-loop cell, which is no fault of the mechanism. */
  readonly status: "invalid" | "refused";
  /** Reason such as "2 messages lost". */
  readonly reason: string;
  /** Counts and times until the trial failed, kept as evidence; absent where nothing was counted. */
  readonly evidence?: TrialFigures;
}

/** Attempt to measure one cell with one fresh pair of processes. */
export type Trial = ValidTrial | InvalidTrial;

export interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly histogram?: string;
}

/** Peak memory over the lives of the processes, bytes; on the driver's side, of all client processes together. */
export interface PeakMemory {
  readonly driver: number;
  readonly peer: number | null;
}

/** Language of one end, such as `python`, and its version. */
export interface LanguageVersion {
  readonly language: string;
  readonly version: string;
}

/** Cell of one mechanism: what was to be measured, and everything that was tried. */
export interface Row {
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
   * Kind of value that `codec-round-trip` sends, such as `table-200`. `payloadBytes` is then its encoded size (with a
   * stateful codec, of any message but the first). Rows of one corpus are compared whatever their sizes.
   */
  readonly corpus?: string;
  readonly peer: LanguageVersion;
  /** Measuring client in another language; absent: Node, as in every older report. */
  readonly client?: LanguageVersion;
  /** Open loop: how requests arrive. */
  readonly arrivals?: "fixed" | "poisson";
  /** Pipelines: true for batches, in which the next requests are sent when all replies have arrived. */
  readonly batched?: boolean;
  /** Sizes that take turns in `workload`; `payloadBytes` is their mean, rounded. */
  readonly mix?: readonly MixPart[];
  /** Recorded messages that are replayed; `payloadBytes` is the mean of their requests, rounded. */
  readonly recorded?: Recorded;
  /** CPU time that the server of `workload` spends on each request beside the echo. */
  readonly workMicros?: number;
  /** Messages per trial, fixed before the first round; null where the cell never ran. */
  readonly messages: number | null;
  readonly trials: readonly Trial[];
  readonly warnings: readonly Warning[];
}

/** Fields of a row that name its cell. */
export type CellFields = Omit<Row, "model" | "messages" | "trials" | "warnings">;

/** Figures of a row, from its valid trials: medians over trials unless noted. */
export interface RowFigures extends Costs {
  /** Median over trials of the trial's percentile. Absent for one-way models. */
  readonly latencyNs?: Quantiles;
  /** 95 % order-statistic intervals of the median over trials; absent with fewer than 6 trials. */
  readonly interval: { readonly p50?: Interval; readonly p99?: Interval; readonly messagesPerSecond?: Interval };
  /** Null for a model in which nothing is sent. */
  readonly messagesPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  /** Sums over all trials, those that are not valid included. */
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** All trials merged (base64, as in a trial): feeds the percentile plot only. */
  readonly histogram?: string;
  /** Open loop: delay of the driver against its schedule, over all trials merged. */
  readonly latenessNs?: Lateness;
  readonly idleCpuShare?: number | null;
  readonly phasesNs?: Readonly<Record<string, number>>;
  readonly serverMemory?: ServerMemory;
  /** Recorded messages with `--group`: each group, the most frequent first. */
  readonly groups?: readonly GroupFigures[];
  readonly stationarity?: Stationarity;
}

export interface MeasuredRow extends Row, RowFigures {
  readonly status: "measured";
  /** Share of sent messages that were lost, 0 to 1; only for mechanisms that declare that they lose. */
  readonly lossShare?: number;
  /** Plain C with the same mechanism, placement and size: its p50, ns, and the ratio of this row's p50 to it. */
  readonly cBaseline?: CComparison;
}

/** Row without figures. `unavailable`: this machine lacks something, so the mechanism was not examined. */
export interface UnmeasuredRow extends Row {
  readonly status: "failed" | "not-applicable" | "unavailable";
  readonly reason: string;
  /** Approximate highest rate that was followed, where `ratePerSecond` was not; 0 where none was. */
  readonly keptPerSecond?: number;
}

export type Measurement = MeasuredRow | UnmeasuredRow;

/** Comparison with plain C. `ratio` is the median of the ratios within rounds: above 1, plain C is faster. */
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
