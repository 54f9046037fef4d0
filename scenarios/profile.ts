import type { Workload } from "./workload.ts";

/** A question that many people ask, as data: what they need, how much they send, and what is to be best about it. */
export interface Profile {
  readonly name: string;
  /** One paragraph: why these needs and this workload belong together. */
  readonly why: string;
  /** As typed behind `--need`: `clients=100`. */
  readonly needs: readonly string[];
  /** What is absent is as in `DEFAULT_WORKLOAD`. */
  readonly workload: Partial<Workload>;
  /**
   * Work that such a request typically does beside the exchange, microseconds: a difference between candidates is judged by it
   * unless the work is measured (`--work`). Default 0.
   */
  readonly typicalWorkMicros?: number;
  /** Checks that the answer rests on besides those of the needs; a prefix such as `restart` means all below it. */
  readonly checks: readonly string[];
}
