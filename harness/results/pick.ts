import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Interval } from "./measurement.ts";
import type { Placement } from "./placement.ts";

/** Result of the equivalence test on the time of a request, work included: `harness/pick/materiality.ts`. */
export interface RequestDifference {
  readonly matters: "yes" | "no" | "unclear";
  readonly ratio: number;
  readonly bounds: Interval | null;
  readonly savedNs: number;
  readonly breakEvenWorkNs: number | null;
}

/** The answer of a comparison. */
export interface Pick {
  readonly transport: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  /** The one sentence: pick, workload, placement, reason. */
  readonly sentence: string;
  readonly reasons: readonly string[];
  readonly runnerUp: string | null;
  /**
   * What the order of the candidates comes to. `immaterial`: another one is faster for sure, and it is not shown that this matters. `cannot-tell`: one of them has fewer than 6 rounds in common with `transport`, which then
   * stands first in `ranking` and no more. Absent in older reports.
   */
  readonly verdict?: "alone" | "ahead" | "tie" | "immaterial" | "cannot-tell";
  /** Fastest of the class; another one than `transport` where that is simpler and the difference is not shown to matter. Null with `cannot-tell`. */
  readonly fastest?: string | null;
  /** Those this run does not tell from the pick at 95 %: ties, and what has no interval. */
  readonly ties: readonly string[];
  /** Those this run tells from the pick, with a difference that is not shown to matter. */
  readonly immaterial?: readonly string[];
  readonly ruledOut: readonly { readonly transport: string; readonly reason: string }[];
  /** What this machine could not run: neither better nor worse than the pick, as far as this run can tell. */
  readonly notExamined?: readonly { readonly transport: string; readonly reason: string }[];
  /** The best of each other waiting class that is faster than the pick, with what it costs; older reports have no ratio and slower ones too. */
  readonly alternatives: readonly {
    readonly transport: string;
    readonly mode: WaitMode;
    readonly sentence: string;
    /** Its time over that of the pick, with the 95 % interval. */
    readonly ratio?: number;
    readonly interval?: Interval;
  }[];
  /** Measured points at which another candidate of the class is ahead of the pick by more than the margin. */
  readonly flips?: readonly {
    readonly over: "payloadBytes" | "clients" | "ratePerSecond";
    readonly at: number;
    readonly transport: string;
    /** Time of the pick over that of `transport`. */
    readonly ratio: number;
    readonly interval: Interval;
    readonly sentence: string;
  }[];
  /** What was asked for. */
  readonly workload: {
    readonly payloads: readonly number[];
    readonly modes: readonly WaitMode[];
    readonly placement: Placement;
    readonly benchmark?: string;
    readonly optimize?: "p50" | "p99" | "throughput" | "cpu";
    /** Share of a request's time above which a difference matters. */
    readonly matters?: number;
    /** Work of a request beside the exchange, ns: taken into account by arithmetic, and done by the server while it was measured. */
    readonly assumedWorkNs?: number;
    readonly measuredWorkNs?: number;
  };
  /** All candidates, fastest first, with the ratio of their costs to it (geometric mean over the workload's payloads). */
  readonly ranking: readonly {
    readonly transport: string;
    readonly mode: WaitMode;
    readonly ratio: number;
    readonly interval: Interval | null;
    /** What the difference to the fastest comes to for a request, work included; absent for the fastest and in older reports. */
    readonly request?: RequestDifference;
  }[];
}
