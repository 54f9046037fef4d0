/**
 * Messages between the coordinator, its drivers and their peers: one JSON object a line, on descriptor 3 (peers in
 * other languages: stdin and stdout). `harness/README.md` explains the order.
 */
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Address, Place } from "../../transports/contract/transport.ts";
import type { CodecCost } from "../results/model.ts";
import type { PeerExited } from "./hand-over.ts";
import type { EndLoad, Go, Load, LoadReady, LoadWork, SubscribeWork } from "./load-messages.ts";
import type { SenderDone, SenderReady, SenderWork } from "./sender-messages.ts";

/** Transport to load, from the registry or from a user's module. */
export interface TransportReference {
  readonly id: string;
  /** Absolute path of a module whose default export is a Transport or a list of them; null: the registry. */
  readonly module: string | null;
  /** True where the module is the registry of a checkout: it has a contract of its own in any case. */
  readonly isRegistry?: boolean;
}

/** Prefix of a command line that starts a process on a CPU; empty when it is not pinned. */
export type PinPrefix = readonly string[];

// ---- to and from a peer -------------------------------------------------------------------------

export interface PeerStart {
  readonly type: "start";
  readonly transport: TransportReference;
  readonly mode: WaitMode;
  readonly address: Address;
  /** Base64. Travels in this message only: never in argv, environment or a report. */
  readonly key: string | null;
  /** Id of the codec behind `Method.recode`; each connection gets its own. Absent: the method is unknown. */
  readonly codec?: string;
}
export interface PeerStop {
  readonly type: "stop";
}
/** Asks for `usage`: for transports that cannot ask over the connection itself with `Method.statistics`. */
export interface PeerReportUsage {
  readonly type: "report-usage";
  /** `true`: the peer holds its compiler until it is asked again, see `compiler-hold.ts`. */
  readonly hold: boolean;
}
/** Sends one-way messages to every client, as fast as each takes them. Answered by `published`. Event loop only. */
export interface PeerPublish {
  readonly type: "publish";
  readonly messages: number;
  readonly payloadBytes: number;
  /** `transport`: one send reaches every subscriber. `server`: one send per connection. */
  readonly distribution: "transport" | "server";
}
/** To a peer that has started a program of the user's: signals all processes of it. */
export interface PeerSignal {
  readonly type: "signal";
  readonly name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT";
}
/** To such a peer, answered by `account`. */
export interface PeerReportAccount {
  readonly type: "report-account";
  /** Fault that it is named for, where it has not died. */
  readonly what: string;
}
export type ToPeer = PeerStart | PeerStop | PeerReportUsage | PeerPublish | PeerSignal | PeerReportAccount;

export interface PeerReady {
  readonly type: "ready";
  /** Process id of the server: of the peer itself, or of the user's program that it has started. */
  readonly pid: number;
  /** Actual address of the server. */
  readonly address: Address;
  readonly language: string;
  readonly version: string;
  /** CPUs it may run on as the kernel reports them, such as `1`; null where unknown. */
  readonly cpus: string | null;
}
export interface PeerDone {
  readonly type: "done";
}
export interface Failed {
  readonly type: "failed";
  /** Code of an IpcError, or `IPC_SYSTEM`. */
  readonly code: string;
  readonly message: string;
}
/**
 * Statistics of a receiver of one-way messages since its last report. Sent unasked when the message marked as last
 * arrives, or when a stream that has begun stands still for a second.
 */
export interface StreamReport {
  readonly type: "stream-report";
  readonly received: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** Arrival of the first and of the newest message, CLOCK_MONOTONIC ns as decimal strings. */
  readonly firstNs: string;
  readonly lastNs: string;
  /** Arrival of each sequence number where messages ask for it, CLOCK_MONOTONIC ns, base64 of little-endian u64. */
  readonly arrivalsNs?: string;
}
/** Report that the publisher has handed its last message to the transport. */
export interface Published {
  readonly type: "published";
  /** Time just before the first message, CLOCK_MONOTONIC ns as a decimal string. */
  readonly startedNs: string;
  readonly problem?: string;
}
/** Resources that a process has used since it started. */
export interface UsageReport {
  readonly type: "usage";
  readonly cpuMicros: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly peakMemoryBytes: number;
  readonly gcPauseNs: number;
}
/** A sentence about the program of the user that serves. */
export interface PeerAccount {
  readonly type: "account";
  readonly text: string;
}
export type FromPeer = PeerReady | PeerDone | Failed | StreamReport | UsageReport | Published | PeerAccount;

// ---- to and from a driver -----------------------------------------------------------------------

export interface DriverStart {
  readonly type: "start";
  readonly transport: TransportReference;
  readonly mode: WaitMode;
  readonly place: Place;
  /** Prefix with which the driver starts its peer on the peer's CPU. */
  readonly peerPin: PinPrefix;
  /** Get ready with this prefix, send `prepared` and wait for `begin`, when all processes are on their CPUs. */
  readonly hold?: { readonly pin: PinPrefix };
  /** Pid of a peer that was started beside this driver, which takes it over. */
  readonly peerPid?: number;
  readonly peerLanguage: string;
  /** Program that runs a server in another language; default: the one `Transport.peers` names, as found on PATH. */
  readonly peerProgram?: string | undefined;
  /** Id of the codec both ends convert with, in trials of `codec-round-trip`. */
  readonly codec?: string;
  readonly work:
    | CalibrateWork
    | MeasureWork
    | CheckWork
    | ClientWork
    | UserAttempt
    | SenderWork
    | LoadWork
    | SubscribeWork
    | CodecsWork;
}
/** Message to a client process: all are `connected`. To a sender: send. To a driver that holds: it is its turn. */
export interface Begin {
  readonly type: "begin";
}
export type ToDriver = DriverStart | Go | EndLoad | Begin | PeerExited;

/** Loop to run, with its message size. */
export interface CellPlan extends Load {
  /** Unique within a job; comes back with the result. */
  readonly key: string;
  readonly model: string;
  /** Messages in the measured window; 0 in a calibration. */
  readonly messages: number;
  readonly warmupMessages: number;
  readonly warmupMs: number;
  /**
   * Work before any cell of the trial is measured, so that the processes compile what all cells use: that many
   * messages, or that much CPU time of the driver, since others may get ready too. null: not this cell.
   */
  readonly ahead: { readonly messages: number; readonly cpuMs: number } | null;
}
/** Finds the message rate of each cell, from which the coordinator fixes the counts. */
export interface CalibrateWork {
  readonly kind: "calibrate";
  readonly turns: readonly (readonly CellPlan[])[];
  /** Time spent measuring each cell. */
  readonly budgetMs: number;
}
export interface MeasureWork {
  readonly kind: "measure";
  /** Cells of each turn, in the order in which they run. Between turns the pair may be moved to other CPUs. */
  readonly turns: readonly (readonly CellPlan[])[];
}
export interface CheckWork {
  readonly kind: "check";
  /** Ids of the checks, in the order in which they run. */
  readonly checks: readonly string[];
}
/** Client process of a check, one of several. */
export interface ClientWork {
  readonly kind: "client";
  readonly address: Address;
  readonly connections: number;
  readonly requestsEach: number;
  readonly bodyBytes: number;
}
/** Codecs alone, no transport: answered by `codecs`. */
export interface CodecsWork {
  readonly kind: "codecs";
  readonly codecs: readonly string[];
  readonly seed: number;
  /** Time for each codec, kind of value and direction. */
  readonly timeMs: number;
}
/** Process of another user, perhaps: sends `user-ready`, connects once after `begin`, sends `user-attempt`. */
export interface UserAttempt {
  readonly kind: "user";
  readonly address: Address;
  /** Address without a server. */
  readonly unserved: Address;
  /** User that the process becomes once it has loaded everything; null: no change. */
  readonly user: UserIds | null;
}
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

export interface ClientConnected {
  readonly type: "connected";
  /** Number of open connections. */
  readonly connections: number;
  /** Reason why the others are not open. */
  readonly refused?: Failed;
}
export interface DriverReady {
  readonly type: "ready";
  readonly pid: number;
  readonly cpus: string | null;
  readonly peer: Omit<PeerReady, "type"> | null;
}
/** Report of a driver that holds: everything is ready, and nothing of it runs until `begin`. */
export interface DriverPrepared {
  readonly type: "prepared";
}
/** Report of a driver that starts this cell: should it die, this is where. */
export interface CellBegun {
  readonly type: "cell-begun";
  readonly key: string;
}
/** Process that the driver started: reaped by the coordinator when the driver cannot. */
export interface Spawned {
  readonly type: "spawned";
  readonly pid: number;
}
/** Report that a fault in native code ended a child of the driver. */
export interface Crashed {
  readonly type: "crashed";
  readonly process: string;
  readonly signal: string;
}
export interface CellResult {
  readonly type: "cell";
  readonly key: string;
  readonly outcome:
    | { readonly status: "valid"; readonly figures: CellFigures }
    | { readonly status: "refused"; readonly reason: string; readonly figures: CellFigures }
    | { readonly status: "invalid"; readonly reason: string; readonly figures: CellFigures | null }
    | { readonly status: "unavailable"; readonly reason: string; readonly figures: null };
}
export interface CellFigures {
  readonly messages: number;
  readonly elapsedNs: number;
  /** All samples, see `packSamples`; the coordinator makes the histogram from them. Null for one-way models. */
  readonly samples: string | null;
  /** Exact quantiles of the samples, ns; null for one-way models. */
  readonly latencyNs: {
    readonly count: number;
    readonly min: number;
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
    readonly mean: number;
  } | null;
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
  /** Calibrations of `workload`: highest rate that was followed, requests/s, where it is below the rate asked for. */
  readonly keptPerSecond: number | null;
  /** Model `open-close`: medians of the parts of one operation, ns. */
  readonly phasesNs: Readonly<Record<string, number>> | null;
}
export interface Lateness {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Base64, as of latencies. */
  readonly histogram: string;
}
export interface CheckDone {
  readonly type: "check";
  readonly id: string;
  /** `unavailable`: this machine has too little of something. */
  readonly status: "passed" | "failed" | "not-applicable" | "unavailable";
  readonly reason?: string;
  readonly error?: string;
  readonly notes: Readonly<Record<string, string | number | boolean>>;
  readonly durationMs: number;
}
export interface ClientDone {
  readonly type: "client";
  readonly completed: number;
  readonly crossed: number;
  readonly failed: number;
  readonly firstError?: string;
  /** Resource that was too scarce on this machine, when that ended a request. */
  readonly shortage?: string;
}
export interface UserReady {
  readonly type: "user-ready";
  readonly uid: number;
  /** Reason why the attempt would mean nothing; null when it will. */
  readonly obstacle: string | null;
}
export interface UserAttempted {
  readonly type: "user-attempt";
  readonly connected: boolean;
  readonly refusal?: string;
}
export interface CodecsDone {
  readonly type: "codecs";
  readonly rows: readonly CodecCost[];
}
/** Measurements of one client process of `fan-in` or `workload`. */
export interface LoadWindow {
  readonly type: "load-window";
  readonly messages: number;
  /** CLOCK_MONOTONIC ns as decimal strings. */
  readonly startedNs: string;
  readonly endedNs: string;
  /** Round trips in ns, base64 of little-endian f64. */
  readonly samples: string;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  readonly problem?: string;
  /** Open loop: delay of the client behind each intended time, ns, as `samples`. */
  readonly lateness?: string;
  /** Open loop: reason why the client itself missed the schedule. */
  readonly refused?: string;
  readonly usage: UsageReport;
}
export interface DriverDone {
  readonly type: "done";
}
export type FromDriver =
  | DriverReady
  | DriverPrepared
  | CellBegun
  | Spawned
  | Crashed
  | CellResult
  | CheckDone
  | ClientConnected
  | ClientDone
  | UserReady
  | UserAttempted
  | SenderReady
  | SenderDone
  | CodecsDone
  | LoadReady
  | LoadWindow
  | StreamReport
  | DriverDone
  | Failed;
