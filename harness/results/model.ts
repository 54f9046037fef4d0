import type { Capabilities, WaitMode } from "../../transports/contract/capabilities.ts";
import type { Changes } from "./changes.ts";
import type { CodecCost } from "./codec-cost.ts";
import type { Interval, Measurement } from "./measurement.ts";
import type { RunPhases } from "./phases.ts";
import type { Pick } from "./pick.ts";
import type { Placement } from "./placement.ts";
import type { CandidateStanding, Question } from "./question.ts";
import type { Warning } from "./warnings.ts";

export type { CodecCost } from "./codec-cost.ts";
export type * from "./measurement.ts";
export type { Pick } from "./pick.ts";
export { PLACEMENTS, type Placement } from "./placement.ts";
export type { CandidateStanding, Question } from "./question.ts";
export type { Warning } from "./warnings.ts";

/** Version of the schema, raised when a reader of an older version could misread a report. */
export const SCHEMA_VERSION = 2;

/** Result of the chosen option against one rival. */
export interface RecheckedAgainst {
  readonly rival: string;
  readonly outcome: "holds" | "other-wins" | "cannot-tell";
}

/** Result of the recheck of a decision record. */
export interface Rechecked {
  readonly chosen: string;
  readonly outcome: "holds" | "other-wins" | "cannot-tell";
  /** Result against each rival that was measured again. Absent in older reports. */
  readonly against?: readonly RecheckedAgainst[];
  /** Option that wins instead of the chosen one. */
  readonly winner?: string;
  /** Conditions that differ from those of the record. */
  readonly conditions: readonly string[];
  readonly sentence: string;
}

/** Result of one run: the JSON that `check`, `measure` and `compare` print and store, and that `reports/` renders. */
export interface Report {
  readonly schemaVersion: number;
  /** False when the run was interrupted and is partial. Absent in older reports, which are complete. */
  readonly complete?: boolean;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly commandLine: string;
  /** Where the command was started: decides how it is typed again. Absent in older reports. */
  readonly startedFrom?: "clone" | "package";
  readonly seed: number;
  readonly environment: Environment;
  readonly transports: readonly TransportRecord[];
  readonly checks: readonly CheckResult[];
  readonly measurements: readonly Measurement[];
  /** Cells of the optional C program: the same exchanges in plain C. */
  readonly cBaseline: readonly Measurement[];
  readonly pick: Pick | null;
  /** Question of a `compare`, and each transport considered, with why it is in or out. Absent in older reports. */
  readonly question?: Question;
  readonly candidates?: readonly CandidateStanding[];
  /** Warnings about the run as a whole; advice included. */
  readonly warnings: readonly Warning[];
  /** Processes of the run that crashed; absent when none did. */
  readonly crashes?: readonly Crash[];
  /** One entry per round of trials, in order. */
  readonly rounds?: readonly RoundRecord[];
  /** Frozen echo, per placement in use: if its figures differ between two reports, the machine has changed. */
  readonly controls?: Readonly<Partial<Record<Placement, ControlSummary>>>;
  /** Delay of this machine in waking a sleeping process, per placement in use: the tail floor beside every p99. */
  readonly canaries?: Readonly<Partial<Record<Placement, CanarySummary>>>;
  /** Planned and actual length, and what ended the run. */
  readonly duration?: RunDuration;
  /** Time of each phase of a `compare`; absent in reports of other commands. */
  readonly phases?: RunPhases;
  /** Growth of cost with one variable: derived from `measurements`, ready to be plotted. */
  readonly curves?: readonly Curve[];
  /** Reason why `cBaseline` is empty; absent where it is not. */
  readonly cBaselineReason?: NoCBaseline;
  /** Cost of the codecs without a transport: shows where the codec and not the mechanism is the cost. */
  readonly codecs?: readonly CodecCost[];
  /** Ids of the claims that `compare --claims` tested. The verdicts are not stored: they follow from the rest. */
  readonly claims?: readonly string[];
  /** Changes since the report of `compare --against`. */
  readonly against?: Changes;
  /** Result of a recheck. Its sentence is also that of the pick. */
  readonly recheck?: Rechecked;
}

/** `unavailable`: it was asked for, and this machine cannot compile it. */
export interface NoCBaseline {
  readonly status: "not-asked" | "not-applicable" | "unavailable";
  readonly reason: string;
}

/** State of the machine during one round. */
export interface RoundRecord {
  readonly round: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly stealShare: number | null;
  readonly loadAverage1: number;
  /** Mean over the CPUs in use, as the kernel reports it now; null where it does not (most virtual machines). */
  readonly frequencyMHz: number | null;
  readonly controls: readonly { readonly placement: Placement; readonly p50: number; readonly count: number }[];
  /** Wake-up delays, ns. */
  readonly canaries: readonly {
    readonly placement: Placement;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly count: number;
  }[];
}

/** Round trips of the frozen echo, ns: median over rounds of its p50. */
export interface ControlSummary {
  readonly p50: number;
  readonly interval?: Interval;
  /** Slowest round over fastest: how much the machine itself moved during the run. */
  readonly spread: number;
  readonly rounds: number;
}

/** Delays between a write and the return of the sleeping reader's call, ns, all rounds together. */
export interface CanarySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90?: number;
  /** The tail floor. */
  readonly p99?: number;
  readonly p999?: number;
  readonly max: number;
  /** True where its p99 is so bad that the p99 of a mechanism shows only the machine and must not be gated. */
  readonly bad: boolean;
  /** One sentence for the reader. */
  readonly sentence: string;
  readonly histogram: string;
}

export interface RunDuration {
  /** Stop rule: `fixed` number of trials, whole rounds within a `budget`, or `until` the intervals are narrow. */
  readonly rule: "fixed" | "budget" | "until";
  readonly effort: "quick" | "default" | "thorough";
  readonly rounds: number;
  /** Duration announced before the first trial, ms. */
  readonly plannedMs: number;
  readonly actualMs: number;
  /** Rule `until`: largest half width of each p50 interval relative to its p50. */
  readonly target?: number;
  readonly reached?: boolean;
  /** Sentence on what ended the run. */
  readonly sentence: string;
}

/** Line of a chart: everything fixed but one variable. */
export interface Curve {
  readonly benchmark: string;
  readonly transport: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  readonly peer: string;
  readonly over: "payloadBytes" | "inFlight" | "clients" | "ratePerSecond";
  /** Everything else that is fixed, such as `64 B, batched`. */
  readonly fixed: string;
  readonly points: readonly {
    readonly x: number;
    readonly p50: number | null;
    readonly p99: number | null;
    readonly interval: Interval | null;
    readonly messagesPerSecond: number | null;
  }[];
  /** Over `payloadBytes`: cost = fixedNs + nsPerByte * bytes, fitted on relative errors. */
  readonly fit?: { readonly fixedNs: number; readonly nsPerByte: number };
  /** Over `ratePerSecond`: highest rate followed with a p50 below three times that of the lowest; null when none. */
  readonly kneePerSecond?: number | null;
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
  /** CPUs this process may run on, as `0-1`; null where the system reports none. */
  readonly allowedCpus: string | null;
  readonly memoryBytes: number;
  readonly virtualization: string | null;
  readonly governor: string | null;
  readonly loadAverage1: number;
  /** Share of CPU time the hypervisor took during the run, 0 to 1; null where unknown. */
  readonly stealShare: number | null;
  /** Share of CPU time that other processes used during the run, 0 to 1; null if unknown, absent in older reports. */
  readonly othersShare?: number | null;
  /** CPU numbers used by each placement. */
  readonly placements: Readonly<Partial<Record<Placement, { readonly driver: string; readonly peer: string }>>>;
  readonly ffi: {
    /** `node:ffi` stands in older reports only. */
    readonly binding: "koffi" | "ffi-rs" | "node:ffi" | "none";
    readonly callNs: number | null;
    readonly reason?: string;
  };
  /** Cost of reading the clock once, ns. */
  readonly timerNs: number;
  /** Sixteen hexadecimal digits over machine, kernel, runtime and placements: only equal fingerprints are compared. */
  readonly fingerprint?: string;
  /** Mean clock of the CPUs in use at the end, MHz; null where the system reports none. */
  readonly frequencyMHz?: number | null;
  /** Limits of the control group of this process; null where there is none. */
  readonly cgroup?: { readonly cpus: number | null; readonly memoryBytes: number | null } | null;
  /** Idle-priority load that kept the CPUs from halting; absent when none was asked for. */
  readonly keepAwake?: { readonly cpus: readonly number[] } | { readonly reason: string };
  /** p50 round trip of `loopback` at 64 B, ns: the harness's own cost; null when not measured. */
  readonly harnessFloorNs: number | null;
}

export type TransportRecord = {
  readonly id: string;
  readonly capabilities: Capabilities;
  /** Id of the transport that is the same on this platform: `unix` for `local-socket`. */
  readonly sameAs?: string;
  /** Path of the module that a user named, relative to the working directory; absent for transports of ipcmark. */
  readonly module?: string;
  /** True for rendezvous `process`: shown for comparison, never ranked or picked. */
  readonly baseline: boolean;
} & ({ readonly available: true; readonly version: string } | { readonly available: false; readonly reason: string });

/**
 * `failed`: the mechanism cannot do it. `unavailable`: this machine cannot. `not-examined`: this run did not try, since
 * other checks had shown that it would only wait. `not-applicable`: the claim does not exist for such a mechanism.
 */
export type CheckStatus = "passed" | "failed" | "not-applicable" | "not-examined" | "unavailable";

/** Process ended by a signal of a fault in native code: SIGSEGV, SIGTRAP, SIGABRT, SIGBUS, SIGILL. */
export interface Crash {
  readonly transport: string;
  /** `driver`, `peer`, `client`, `Python peer`. */
  readonly process: string;
  readonly signal: string;
  /** Binding to the C library of this run; `none` without one. */
  readonly binding: string;
}

export interface CheckResult {
  readonly scenario: string;
  readonly title: string;
  readonly kind: "conformance" | "scenario";
  readonly transport: string;
  readonly peer: string;
  readonly status: CheckStatus;
  /** Reason why it does not apply, was not examined, is unavailable, or failed: one line. */
  readonly reason?: string;
  /** Full text of what was thrown. */
  readonly error?: string;
  readonly notes: Readonly<Record<string, string | number | boolean>>;
  readonly durationMs: number;
}
