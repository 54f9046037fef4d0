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
  /** Range of the break-even; absent in older reports. */
  readonly breakEvenBounds?: Interval | null;
}

/** Answer of a comparison. */
export interface Pick {
  readonly transport: string;
  readonly mode: WaitMode;
  readonly placement: Placement;
  /** Sentence with the pick, the workload, the placement and the reason. */
  readonly sentence: string;
  readonly reasons: readonly string[];
  readonly runnerUp: string | null;
  /**
   * Result of ordering the candidates. `immaterial`: another one is faster for sure, but that is not shown to matter.
   * `cannot-tell`: one has fewer than 6 rounds in common with `transport`, which is then only first in `ranking`.
   * Absent in older reports.
   */
  readonly verdict?: "alone" | "ahead" | "tie" | "immaterial" | "cannot-tell";
  /** Fastest of the class; differs from `transport` where that is simpler and the difference is not shown to matter. */
  readonly fastest?: string | null;
  /** Candidates that this run does not tell apart from the pick at 95 %: ties, and those without an interval. */
  readonly ties: readonly string[];
  /** Candidates that this run tells apart from the pick, with a difference that is not shown to matter. */
  readonly immaterial?: readonly string[];
  readonly ruledOut: readonly { readonly transport: string; readonly reason: string }[];
  /** Transports that this machine could not run: neither better nor worse than the pick, as far as this run shows. */
  readonly notExamined?: readonly { readonly transport: string; readonly reason: string }[];
  /** Best of each other class that is faster than the pick, with its price; older reports have slower ones too. */
  readonly alternatives: readonly {
    readonly transport: string;
    readonly mode: WaitMode;
    readonly sentence: string;
    /** Time relative to that of the pick, with the 95 % interval. */
    readonly ratio?: number;
    readonly interval?: Interval;
  }[];
  /** Servers in another language, which block in a thread: no candidates. */
  readonly otherServers?: readonly {
    readonly transport: string;
    /** Waiting class of the client. */
    readonly mode: WaitMode;
    readonly language: string;
    readonly sentence: string;
    /** Time relative to that of the pick, with the 95 % interval. */
    readonly ratio?: number;
    readonly interval?: Interval;
  }[];
  /**
   * Measured points at which another candidate of the class is ahead of the pick by more than the margin, or at which
   * the pick cannot be used: then without ratio and interval.
   */
  readonly flips?: readonly {
    readonly over: "payloadBytes" | "clients" | "ratePerSecond";
    readonly at: number;
    /** Rate of the point, where `over` is `clients` and both differ. */
    readonly ratePerSecond?: number | null;
    readonly transport: string;
    /** Time of the pick relative to that of `transport`. */
    readonly ratio?: number;
    readonly interval?: Interval;
    readonly sentence: string;
  }[];
  /** Workload that was asked for. */
  readonly workload: {
    readonly payloads: readonly number[];
    readonly modes: readonly WaitMode[];
    readonly placement: Placement;
    /** Sizes that took turns; `payloads` has their mean then. */
    readonly mix?: readonly { readonly bytes: number; readonly share: number }[];
    /** Recorded messages that were replayed; `payloads` has their mean then. */
    readonly recorded?: { readonly name: string; readonly count: number };
    readonly benchmark?: string;
    /** Language of the server. */
    readonly peer?: string;
    /** Codec of both ends; absent: the requests were bytes. */
    readonly codec?: string;
    /** Clients and their pace, where the run has measured the requests that were asked for. */
    readonly clients?: number;
    readonly ratePerSecond?: number | null;
    /** Number of clients that was asked for, where it may be larger than the measured one. */
    readonly neededClients?: number;
    readonly optimize?: "p50" | "p99" | "throughput" | "cpu";
    /** Share of a request's time above which a difference matters. */
    readonly matters?: number;
    /** Work of a request beside the exchange, ns: added by arithmetic, or done by the server while measured. */
    readonly assumedWorkNs?: number;
    readonly measuredWorkNs?: number;
  };
  /** All candidates, fastest first, with their cost relative to it (geometric mean over the workload's payloads). */
  readonly ranking: readonly {
    readonly transport: string;
    readonly mode: WaitMode;
    readonly ratio: number;
    readonly interval: Interval | null;
    /** Difference to the fastest for a request, work included; absent for the fastest and in older reports. */
    readonly request?: RequestDifference;
  }[];
}
