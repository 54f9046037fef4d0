import type { CodecId, MixPart, Recorded } from "./benchmark.ts";

export type { MixPart } from "./benchmark.ts";

/** Quantities by which candidates can be ranked. */
export const OPTIMIZE = ["p50", "p99", "throughput", "cpu"] as const;
export type Optimize = (typeof OPTIMIZE)[number];

/** Number of clients and their pace: one measured point. */
export interface LoadPoint {
  /** Number of client processes that send at the same time. */
  readonly clients: number;
  /** Requests per second of all clients, on a fixed schedule; null: each client waits for its reply before the next. */
  readonly ratePerSecond: number | null;
}

/** The requests of a question, and the quantity to optimise. */
export interface Workload extends LoadPoint {
  /** Further points at which the same requests are measured, to show where the answer changes. */
  readonly otherLoads?: readonly LoadPoint[];
  /** Sizes, each of which is measured in its own cell, or one mix of sizes. */
  readonly payloads: readonly number[] | { readonly mix: readonly MixPart[] };
  /** Messages of the user that are the requests; `payloads` then has their mean size. */
  readonly recorded?: Recorded;
  /** CPU time that the server spends on each request beside the echo, µs. */
  readonly workMicros: number;
  /** Codec that converts values at both ends; null: the requests are bytes. */
  readonly codec: CodecId | null;
  /** Language of the server. */
  readonly peer: string;
  readonly optimize: Optimize;
}
