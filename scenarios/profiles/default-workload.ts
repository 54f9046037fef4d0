import type { Workload } from "../workload.ts";

/** What `compare` measures when nothing else is asked: small and medium requests, both ends in event loops. */
export const DEFAULT_PAYLOADS: readonly number[] = [64, 4096, 65_536];
/** The pick is made over these. */
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
