/**
 * Results of a run for the evaluation of needs: verdicts and figures. The harness implements this interface, so that no
 * need depends on the format of a report.
 */
export interface Evidence {
  /** Returns the result of a check for a transport, over all server languages of the run. */
  verdict(transport: string, check: string): Verdict;
  /** Returns a number that a check noted, in the unit that its name states; undefined if there is none. */
  figure(transport: string, check: string, note: string): Figure | undefined;
}

/**
 * `failed`: the mechanism cannot do it. `unavailable`: this machine cannot. `not-examined`: this run did not check it.
 * `not-applicable`: the claim does not exist for such a mechanism.
 */
export type Verdict =
  | { readonly status: "passed" | "not-examined" }
  | { readonly status: "failed" | "not-applicable" | "unavailable"; readonly reason: string };

export interface Figure {
  readonly value: number;
  /** 95 % interval, if several values were taken. */
  readonly interval?: readonly [low: number, high: number];
}
