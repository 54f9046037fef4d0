import type { Workload } from "../workload.ts";

/** Sizes that `measure` uses by default. */
export const DEFAULT_PAYLOADS: readonly number[] = [64, 4096, 65_536];
/**
 * Sizes for a question that names none: small and medium requests. A third, larger size would take the time that these
 * two need for a clear result.
 */
export const PICK_PAYLOADS: readonly number[] = [64, 4096];

/** Values for a question if neither a flag nor its profile gives one. */
export const DEFAULT_WORKLOAD: Workload = {
  clients: 1,
  ratePerSecond: null,
  payloads: PICK_PAYLOADS,
  workMicros: 0,
  codec: null,
  peer: "node",
  optimize: "p50",
};
