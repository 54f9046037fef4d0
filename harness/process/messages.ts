/**
 * Messages between the coordinator, its drivers and their peers: one JSON object per line, on descriptor 3 (peers in
 * other languages: stdin and stdout). `harness/README.md` explains the order.
 */
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Address, Place } from "../../transports/contract/transport.ts";
import type { CodecCost } from "../results/model.ts";
import type { CellFigures } from "./cell-figures.ts";
import type { PeerExited } from "./hand-over.ts";
import type { EndLoad, Go, Load, LoadReady, LoadWork, RecordedPlace, SubscribeWork } from "./load-messages.ts";
import type { SenderDone, SenderReady, SenderWork } from "./sender-messages.ts";

export type { CellFigures, GroupSummary, Lateness } from "./cell-figures.ts";

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
  /** Key in base64. It is sent only in this message, never by argv, environment or a report. */
  readonly key: string | null;
  /** Id of the codec behind `Method.recode`; each connection gets its own. Absent: the method is unknown. */
  readonly codec?: string;
  readonly recorded?: RecordedPlace;
}
export interface PeerStop {
  readonly type: "stop";
}
/** Asks for `usage`, for transports over which `Method.usage` cannot be requested. */
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
/** Message to a peer that has started a user's program: signals all processes of the program. */
export interface PeerSignal {
  readonly type: "signal";
  readonly name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT";
}
/** Message to such a peer, which answers with `account`. */
export interface PeerReportAccount {
  readonly type: "report-account";
  /** Fault to state in the account if the program has not died. */
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
  /** CPUs on which the server may run, as the kernel reports them, such as `1`; null if unknown. */
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
 * Statistics of a receiver of one-way messages since its last report. Sent without a request when the message marked as
 * last arrives, or when no message of a stream has come for a second.
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
  /** Arrival of each sequence number, if messages ask for it: CLOCK_MONOTONIC ns, base64 of little-endian u64. */
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
/** Sentence about the user's program that is the server. */
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
  /** Prefix of the command line with which the driver starts its peer on the peer's CPU. */
  readonly peerPin: PinPrefix;
  /** Present: get ready with this prefix, send `prepared`, wait for `begin`; by then all are on their CPUs. */
  readonly hold?: { readonly pin: PinPrefix };
  /** Pid of a peer that was started at the same time as this driver, which takes it over. */
  readonly peerPid?: number;
  readonly peerLanguage: string;
  /** Program that runs a server in another language; default: the one named in `Transport.peers`, found on PATH. */
  readonly peerProgram?: string | undefined;
  /** Language of the measuring client where it is not this driver, and the program that runs it. */
  readonly clientLanguage?: string;
  readonly clientProgram?: string | undefined;
  /** Id of the codec with which both ends convert, in trials of `codec-round-trip`. */
  readonly codec?: string;
  readonly recorded?: RecordedPlace;
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
/** Order to begin: for a client process when all are `connected`, for a sender, for a waiting driver at its turn. */
export interface Begin {
  readonly type: "begin";
}
export type ToDriver = DriverStart | Go | EndLoad | Begin | PeerExited;

/** Cell to run: a model with its load. */
export interface CellPlan extends Load {
  /** Key that is unique within a job; the result contains it. */
  readonly key: string;
  readonly model: string;
  /** Messages in the measured window; 0 in a calibration. */
  readonly messages: number;
  readonly warmupMessages: number;
  readonly warmupMs: number;
  /**
   * Work before any cell of the trial is measured, so that the processes compile code that all cells use: a number of
   * messages, or CPU time of the driver (not wall time, since others may get ready too). null: none for this cell.
   */
  readonly ahead: { readonly messages: number; readonly cpuMs: number } | null;
}
/** Calibration: finds the message rate of each cell, by which the coordinator decides the numbers of messages. */
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
/** Measurement of codecs only, without a transport; answered by `codecs`. */
export interface CodecsWork {
  readonly kind: "codecs";
  readonly codecs: readonly string[];
  readonly seed: number;
  /** Time for each codec, kind of value and direction. */
  readonly timeMs: number;
}
/** Attempt to connect, perhaps as another user. Sends `user-ready`; after `begin` connects, sends `user-attempt`. */
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
  /** Reason why the other connections are not open. */
  readonly refused?: Failed;
}
export interface DriverReady {
  readonly type: "ready";
  readonly pid: number;
  readonly cpus: string | null;
  readonly peer: Omit<PeerReady, "type"> | null;
  /** Client in another language; absent where the driver itself is the client. */
  readonly client?: Pick<PeerReady, "language" | "version">;
}
/** Report of a driver that waits for its turn: everything is ready, and nothing runs until `begin`. */
export interface DriverPrepared {
  readonly type: "prepared";
}
/** Sign of life of a driver that runs checks, sent while its event loop turns. */
export interface Alive {
  readonly type: "alive";
  /** Call of the transport that begins now, such as `connect()`; absent while none is under way. */
  readonly call?: string;
}
/** Report of a driver that it starts this cell, to show where it was if it dies. */
export interface CellBegun {
  readonly type: "cell-begun";
  readonly key: string;
}
/** Report of a process that the driver has started; the coordinator ends it if the driver cannot. */
export interface Spawned {
  readonly type: "spawned";
  readonly pid: number;
  /** `client`: it belongs on the driver's CPUs; otherwise on the peer's. */
  readonly side?: "client";
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
export interface CheckDone {
  readonly type: "check";
  readonly id: string;
  /** Result of the check. `unavailable`: this machine has too little of something. */
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
  /** Resource that this machine lacked, if that ended a request. */
  readonly shortage?: string;
}
export interface UserReady {
  readonly type: "user-ready";
  readonly uid: number;
  /** Reason why the attempt would prove nothing; null if there is none. */
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
  /** Times of beginning and end, CLOCK_MONOTONIC ns as decimal strings. */
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
  /** Number of the group of each sample, as `samples`. */
  readonly groupOf?: string;
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
  | Alive
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
