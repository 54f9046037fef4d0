import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import type { UsageReport } from "../../process/messages.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { RunningPeer } from "../peers/running-peer.ts";

/** An open connection to a running peer, over the face the mode asks for. */
export type Link =
  | { readonly face: "event"; readonly client: RpcClient; readonly peer: RunningPeer }
  | { readonly face: "blocking"; readonly connection: BlockingConnection; readonly peer: RunningPeer };

/** What one run of the loop saw. A window that lost, doubled, swapped or damaged a message is invalid, however fast it was. */
export interface Window {
  readonly messages: number;
  readonly elapsedNs: number;
  /** Round trips, ns, in the order they happened; null for one-way models. */
  readonly samples: Float64Array | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** Set when the window had to be given up. */
  readonly problem?: string;
}

/** One measured loop, ready to run any number of times: for the warm-up, for calibration, and for the numbers. */
export interface PreparedModel {
  window(messages: number): Promise<Window>;
}

/** A way of loading a mechanism. What each one times and omits stands in `scenarios/MODELS.md`. */
export interface Model {
  readonly id: string;
  prepare(link: Link, payloadBytes: number): PreparedModel;
}

/** A reply that has not come after this long is lost: the window ends and is invalid. */
export const LOST_AFTER_MS = 2000;

export const CLEAN = { lost: 0, duplicated: 0, reordered: 0, corrupted: 0 } as const;

/** What the peer process used so far; null when it shares this process or cannot tell. */
export type PeerUsage = Omit<UsageReport, "type"> | null;
