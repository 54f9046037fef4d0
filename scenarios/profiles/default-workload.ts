import type { Workload } from "../workload.ts";

/** Sizes that `measure` takes by default. */
export const DEFAULT_PAYLOADS: readonly number[] = [64, 4096, 65_536];
/**
 * Sizes of a question that names none: small and medium requests. Windows for a third, larger one would take the time
 * that these need to settle.
 */
export const PICK_PAYLOADS: readonly number[] = [64, 4096];

/** Values that a question takes where neither a flag nor its profile names one. */
export const DEFAULT_WORKLOAD: Workload = {
  clients: 1,
  ratePerSecond: null,
  payloads: PICK_PAYLOADS,
  workMicros: 0,
  codec: null,
  peer: "node",
  optimize: "p50",
};
