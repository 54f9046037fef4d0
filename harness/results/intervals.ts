import type { Interval } from "./model.ts";

const CONFIDENCE = 0.95;

/**
 * Returns the distribution-free interval of the median by order statistics (Conover, Practical Nonparametric
 * Statistics, 3.2; as in benchstat): the narrowest pair of sorted values with a coverage of at least `confidence`.
 * Fewer than 6 values cannot give one of 95 %, fewer than 5 none of 90 %: even their whole range covers less.
 */
export function medianInterval(values: readonly number[], confidence: number = CONFIDENCE): Interval | undefined {
  const n = values.length;
  const skip = skippedEachSide(n, (1 - confidence) / 2);
  if (skip < 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[skip] as number, sorted[n - 1 - skip] as number];
}

/** Returns the number of values to cut at each end: the largest k with P(Binomial(n, 1/2) <= k) <= `limit`, or -1. */
function skippedEachSide(n: number, limit: number): number {
  let probability = 0.5 ** n;
  let cumulated = 0;
  for (let k = 0; k < n; k++) {
    cumulated += probability;
    if (cumulated > limit) return k - 1;
    probability *= (n - k) / (k + 1);
  }
  return -1;
}
