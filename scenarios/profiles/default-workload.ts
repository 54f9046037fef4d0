import type { Workload } from "../workload.ts";

/** Sizes that `compare` measures by default: small and medium requests. */
export const DEFAULT_PAYLOADS: readonly number[] = [64, 4096, 65_536];
/** Sizes that the pick is made over. */
export const PICK_PAYLOADS: readonly number[] = [64, 4096];

/** Values that a question takes where neither a flag nor its profile names one. */
export const DEFAULT_WORKLOAD: Workload = {
  clients: 1,
  ratePerSecond: null,
  payloads: DEFAULT_PAYLOADS,
  workMicros: 0,
  codec: null,
  peer: "node",
  optimize: "p50",
};
