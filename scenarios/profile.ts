import type { Workload } from "./workload.ts";

/** A common question as data: the needs, the workload, and the quantity to optimise. */
export interface Profile {
  readonly name: string;
  /** One paragraph: why these needs and this workload belong together. */
  readonly why: string;
  /** Needs as typed behind `--need`: `clients=100`. */
  readonly needs: readonly string[];
  /** Fields of the workload; absent ones are as in `DEFAULT_WORKLOAD`. */
  readonly workload: Partial<Workload>;
  /**
   * Typical work of such a request beside the exchange, µs; default 0. Differences between candidates are judged by it,
   * unless the work is measured (`--work`).
   */
  readonly typicalWorkMicros?: number;
  /** Checks that the answer rests on besides those of the needs; a prefix such as `restart` means all below it. */
  readonly checks: readonly string[];
}
