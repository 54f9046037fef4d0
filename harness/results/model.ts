import type { Capabilities, WaitMode } from "../../transports/contract/capabilities.ts";

/** Raised when a reader of an older version could misread a report. */
export const SCHEMA_VERSION = 1;

export type Placement = "same-cpu" | "two-cpus" | "unpinned";
export const PLACEMENTS: readonly Placement[] = ["same-cpu", "two-cpus", "unpinned"];

/** What one run found: the JSON that `check`, `measure` and `compare` print and store, and that `reports/` renders. */
export interface Report {
  readonly schemaVersion: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly commandLine: string;
  readonly seed: number;
  readonly environment: Environment;
  readonly transports: readonly TransportRecord[];
  readonly checks: readonly CheckResult[];
  readonly measurements: readonly Measurement[];
  /** Cells of the optional C program: what the machine allows. */
  readonly limits: readonly Measurement[];
  readonly claims: readonly ClaimResult[];
  readonly pick: Pick | null;
  /** About the run as a whole; advice included. */
  readonly warnings: readonly string[];
}

export interface Environment {
  readonly ipcmark: string;
  readonly node: string;
  readonly v8: string;
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  readonly cpuModel: string;
  readonly cpus: number;
  /** CPUs this process may run on, as `0-1`; null where the system does not say. */
  readonly allowedCpus: string | null;
  readonly memoryBytes: number;
  readonly virtualization: string | null;
  readonly governor: string | null;
  readonly loadAverage1: number;
  /** Share of CPU time the hypervisor took during the run, 0 to 1; null where unknown. */
  readonly stealShare: number | null;
  /** CPU numbers used by each placement. */
  readonly placements: Readonly<Partial<Record<Placement, { readonly driver: string; readonly peer: string }>>>;
  readonly ffi: {
    readonly binding: "ffi-rs" | "node:ffi" | "none";
    readonly callNs: number | null;
    readonly reason?: string;
  };
  /** Cost of reading the clock once, ns. */
  readonly timerNs: number;
  /** p50 round trip of `loopback` at 64 B, ns: what the harness itself costs; null when not measured. */
  readonly harnessFloorNs: number | null;
}

export type TransportRecord = {
  readonly id: string;
  readonly capabilities: Capabilities;
  /** Rendezvous `process`: shown for comparison, never ranked or picked. */
  readonly baseline: boolean;
} & ({ readonly available: true; readonly version: string } | { readonly available: false; readonly reason: string });

export type CheckStatus = "passed" | "failed" | "not-applicable" | "unavailable";

export interface CheckResult {
  readonly scenario: string;
  readonly title: string;
  readonly kind: "conformance" | "scenario";
  readonly transport: string;
  readonly peer: string;
  readonly status: CheckStatus;
  /** Why it does not apply, is unavailable, or failed: one line. */
  readonly reason?: string;
  /** Full text of what was thrown. */
  readonly error?: string;
  readonly notes: Readonly<Record<string, string | number | boolean>>;
  readonly durationMs: number;
}

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
  readonly codec: string;
  readonly peer: { readonly language: string; readonly version: string };
  readonly status: "measured" | "failed" | "not-applicable";
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
  readonly warnings: readonly string[];
}

export interface ClaimResult {
  readonly id: string;
  readonly statement: string;
  readonly held: boolean | null;
  readonly evidence: string;
}

export interface Pick {
  readonly transport: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  /** The one sentence: pick, workload, placement, reason. */
  readonly sentence: string;
  readonly reasons: readonly string[];
  readonly runnerUp: string | null;
  /** Not distinguishable from the pick at 95 %. */
  readonly ties: readonly string[];
  readonly ruledOut: readonly { readonly transport: string; readonly reason: string }[];
  /** The best of the other waiting classes, with what they cost. */
  readonly alternatives: readonly { readonly transport: string; readonly mode: WaitMode; readonly sentence: string }[];
  /** What was asked for. */
  readonly workload: {
    readonly payloads: readonly number[];
    readonly modes: readonly WaitMode[];
    readonly placement: Placement;
  };
  /** All candidates in order, ratio to the best (geometric mean of p50 over the workload's payloads). */
  readonly ranking: readonly {
    readonly transport: string;
    readonly mode: WaitMode;
    readonly ratio: number;
    readonly interval: Interval | null;
  }[];
}
