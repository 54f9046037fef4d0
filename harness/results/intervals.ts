import type { Interval } from "./model.ts";

const CONFIDENCE = 0.95;

/**
 * Distribution-free interval of the median by order statistics (Conover, Practical Nonparametric Statistics, 3.2; the method
 * of benchstat): the widest-in pair of sorted values whose coverage is at least 95 %.
 * Fewer than 6 values cannot give one: even their whole range covers less.
 */
export function medianInterval(values: readonly number[]): Interval | undefined {
  const n = values.length;
  const skip = skippedEachSide(n);
  if (skip < 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[skip] as number, sorted[n - 1 - skip] as number];
}

/** How many values may be cut at each end: the largest k with P(Binomial(n, 1/2) <= k) <= 2.5 %, or -1. */
function skippedEachSide(n: number): number {
  const limit = (1 - CONFIDENCE) / 2;
  let probability = 0.5 ** n;
  let cumulated = 0;
  for (let k = 0; k < n; k++) {
    cumulated += probability;
    if (cumulated > limit) return k - 1;
    probability *= (n - k) / (k + 1);
  }
  return -1;
}
