import type { CodecId, MixPart } from "./benchmark.ts";

export type { MixPart } from "./benchmark.ts";

/** Quantities that candidates are ranked by. */
export const OPTIMIZE = ["p50", "p99", "throughput", "cpu"] as const;
export type Optimize = (typeof OPTIMIZE)[number];

/** The requests that the question is about, and what is to be best about them. */
export interface Workload {
  /** Client processes that send at the same time. */
  readonly clients: number;
  /** Requests a second, all clients together, on a schedule that waits for nobody; null: each client sends its next request when it has the reply. */
  readonly ratePerSecond: number | null;
  /** Sizes that are cells of their own (no weights given), or one mix. */
  readonly payloads: readonly number[] | { readonly mix: readonly MixPart[] };
  /** CPU time that the server spends on each request beside the echo, microseconds. */
  readonly workMicros: number;
  /** Converts values at both ends; null: the requests are bytes. */
  readonly codec: CodecId | null;
  /** Language of the server. */
  readonly peer: string;
  readonly optimize: Optimize;
}
