import type { BlockingConnection, Transport } from "../../../transports/contract/transport.ts";
import type { Load } from "../../process/load-messages.ts";
import type { DriverStart, UsageReport } from "../../process/messages.ts";
import type { ServerMemory } from "../../results/measurement.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { RunningPeer } from "../peers/running-peer.ts";

/** Open connection over the face that the mode of the run uses. */
export type Wire =
  | { readonly face: "event"; readonly client: RpcClient }
  | { readonly face: "blocking"; readonly connection: BlockingConnection };

/** Open connection to a running peer of ours. */
export type Link = Wire & { readonly peer: RunningPeer };

/** Everything a model may use: the open connection, and means to open more connections or start processes. */
export interface Site {
  readonly link: Link;
  readonly transport: Transport;
  readonly start: DriverStart;
  /** Reports a process that a model starts, so that the coordinator can end it if this process cannot. */
  onSpawn(pid: number): void;
}

/** Result of one run of the loop. It is invalid if a message was lost, doubled, swapped or damaged. */
export interface Window {
  /** Number of messages verified at the receiver. */
  readonly messages: number;
  readonly elapsedNs: number;
  /** Latencies, ns, in the order in which they were taken; null for models without latencies. */
  readonly samples: Float64Array | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** Reason why the window was given up; absent if it was not. */
  readonly problem?: string;
  /** Open loop: delay of the driver behind the intended time of each request, ns. */
  readonly lateness?: Float64Array;
  /** Reason why the numbers would describe the driver and not the mechanism; absent if there is none. */
  readonly refused?: string;
  /** Recorded messages in groups: for each sample the number of its group, and the name of each group. */
  readonly groupOf?: Float64Array;
  readonly groupNames?: readonly string[];
  /** Times of the parts of one operation; each array has the form of `samples`. */
  readonly phases?: Readonly<Record<string, Float64Array>>;
  /** Model `clients-memory`: what its servers hold. */
  readonly serverMemory?: ServerMemory;
}

/** Measured loop, ready to run any number of times, for warm-up, calibration and measurement. */
export interface PreparedModel {
  window(messages: number): Promise<Window>;
  /** Runs a window at another rate (null: a closed loop). Only for models whose highest rate is searched for. */
  windowAt?(messages: number, ratePerSecond: number | null): Promise<Window>;
  /** `true` where each message means new servers: then there is no warm-up, and nobody reports their usage. */
  readonly startsServers?: true;
  /** Returns the usage of the further processes of the model so far; absent if there are none. */
  usage?(): UsageReport;
  /** Ends everything that `prepare` started. */
  end?(): Promise<void>;
}

/** Way to put load on a mechanism. `scenarios/MODELS.md` states what each model times and omits. */
export interface Model {
  readonly id: string;
  prepare(site: Site, load: Load): PreparedModel | Promise<PreparedModel>;
}

/** Time after which a missing reply counts as lost: the window ends and is invalid. */
export const LOST_AFTER_MS = 2000;
/** Lowest speed that is expected of a mechanism, even on a busy machine: 64 MiB get 15 s. */
const SLOWEST_BYTES_PER_MS = 5000;

/** Returns the time after which a missing reply counts as lost; longer for large messages. */
export function lostAfterMs(messageBytes: number): number {
  return LOST_AFTER_MS + Math.round(messageBytes / SLOWEST_BYTES_PER_MS);
}

export const CLEAN = { lost: 0, duplicated: 0, reordered: 0, corrupted: 0 } as const;

/** Makes the window of a loop that was given up before anything could be counted. */
export function givenUp(count: number, problem: string): Window {
  return { messages: 0, elapsedNs: 0, samples: null, ...CLEAN, lost: count, problem };
}

/** Resources that the peer process has used so far; null if it shares this process or cannot report. */
export type PeerUsage = Omit<UsageReport, "type"> | null;
