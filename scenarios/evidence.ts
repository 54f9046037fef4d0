/**
 * Results of a run as needs read them: verdicts and figures. The harness implements it, so no predicate
 * depends on the format of a report.
 */
export interface Evidence {
  /** Returns the result of a check for a transport, over all server languages of the run. */
  verdict(transport: string, check: string): Verdict;
  /** Returns a number that a check noted, in the unit of its name; undefined when there is none. */
  figure(transport: string, check: string, note: string): Figure | undefined;
}

/**
 * `failed`: the mechanism cannot. `unavailable`: this machine cannot. `not-examined`: this run did not check.
 * `not-applicable`: the claim does not exist for such a mechanism.
 */
export type Verdict =
  | { readonly status: "passed" | "not-examined" }
  | { readonly status: "failed" | "not-applicable" | "unavailable"; readonly reason: string };

export interface Figure {
  readonly value: number;
  /** 95 % interval, where several values were taken. */
  readonly interval?: readonly [low: number, high: number];
}
