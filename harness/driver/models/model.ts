import type { BlockingConnection, Transport } from "../../../transports/contract/transport.ts";
import type { Load } from "../../process/load-messages.ts";
import type { DriverStart, UsageReport } from "../../process/messages.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { RunningPeer } from "../peers/running-peer.ts";

/** An open connection over the face the mode asks for. */
export type Wire =
  | { readonly face: "event"; readonly client: RpcClient }
  | { readonly face: "blocking"; readonly connection: BlockingConnection };

/** An open connection to a running peer of ours. */
export type Link = Wire & { readonly peer: RunningPeer };

/** All a model may use: the open connection, and what it needs to open more or to start processes. */
export interface Site {
  readonly link: Link;
  readonly transport: Transport;
  readonly start: DriverStart;
  /** To be called for each process a model starts, so that the coordinator can end it when this one cannot. */
  onSpawn(pid: number): void;
}

/** What one run of the loop saw. A window that lost, doubled, swapped or damaged a message is invalid, however fast it was. */
export interface Window {
  /** Verified at the receiver. */
  readonly messages: number;
  readonly elapsedNs: number;
  /** Latencies, ns, in the order they were taken; null for models without any. */
  readonly samples: Float64Array | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** Set when the window had to be given up. */
  readonly problem?: string;
  /** Open loop: how late the driver came round to each request, ns. */
  readonly lateness?: Float64Array;
  /** The window ran, but its numbers would describe the driver and not the mechanism. */
  readonly refused?: string;
  /** Parts of one operation: each array like `samples`. */
  readonly phases?: Readonly<Record<string, Float64Array>>;
}

/** One measured loop, ready to run any number of times: for the warm-up, for calibration, and for the numbers. */
export interface PreparedModel {
  window(messages: number): Promise<Window>;
  /** The same at another rate, null for a closed loop: of models whose highest rate is looked for. */
  windowAt?(messages: number, ratePerSecond: number | null): Promise<Window>;
  /** What further processes of the model used so far; absent when there are none. */
  usage?(): UsageReport;
  /** Ends what `prepare` started. */
  end?(): Promise<void>;
}

/** A way of loading a mechanism. What each one times and omits stands in `scenarios/MODELS.md`. */
export interface Model {
  readonly id: string;
  prepare(site: Site, load: Load): PreparedModel | Promise<PreparedModel>;
}

/** A reply that has not come after this long is lost: the window ends and is invalid. */
export const LOST_AFTER_MS = 2000;
/** Slower than this no mechanism moves bytes, even on a busy machine: 64 MiB get 15 s. */
const SLOWEST_BYTES_PER_MS = 5000;

/** The same for large messages, which take their time. */
export function lostAfterMs(messageBytes: number): number {
  return LOST_AFTER_MS + Math.round(messageBytes / SLOWEST_BYTES_PER_MS);
}

export const CLEAN = { lost: 0, duplicated: 0, reordered: 0, corrupted: 0 } as const;

/** A window that was given up before anything could be counted. */
export function givenUp(count: number, problem: string): Window {
  return { messages: 0, elapsedNs: 0, samples: null, ...CLEAN, lost: count, problem };
}

/** What the peer process used so far; null when it shares this process or cannot tell. */
export type PeerUsage = Omit<UsageReport, "type"> | null;
