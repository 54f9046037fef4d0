import type { Workload } from "./workload.ts";

/** A common question as data: the needs, the workload, and the quantity to optimise. */
export interface Profile {
  readonly name: string;
  /** Paragraph that explains why these needs and this workload belong together. */
  readonly why: string;
  /** Needs as a user types them after `--need`: `clients=100`. */
  readonly needs: readonly string[];
  /** Fields of the workload; absent fields are taken from `DEFAULT_WORKLOAD`. */
  readonly workload: Partial<Workload>;
  /**
   * Typical work per request beside the exchange, µs; default 0. Differences between candidates are compared with it,
   * unless the work is measured (`--work`).
   */
  readonly typicalWorkMicros?: number;
  /** Checks that the answer needs, in addition to those of the needs; a prefix such as `restart` means all below it. */
  readonly checks: readonly string[];
}
