import type { Interval } from "./model.ts";
import { median } from "./quantiles.ts";

/** Ratio of the values of one sample to those of another, of which no value belongs to one of the other sample. */
export interface UnpairedRatio {
  /** Median of the ratios of every value to every other; NaN where a sample is empty. */
  readonly ratio: number;
  /** Null where the samples are too small for the confidence. */
  readonly interval: Interval | null;
}

/** Largest product of the sizes for which the exact distribution is computed. */
const MOST_EXACT = 3600;

/**
 * Compares two samples of positive values by the Hodges-Lehmann estimate and the interval that inverts the Mann-Whitney
 * test (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 4.2 and 4.3), on ratios instead of differences.
 * Exact for small samples, by the normal approximation for large ones.
 *
 * @param confidence such as 0.95
 */
export function compareUnpaired(one: readonly number[], other: readonly number[], confidence: number): UnpairedRatio {
  const ratios = one.flatMap((value) => other.map((reference) => value / reference)).sort((a, b) => a - b);
  if (ratios.length === 0) return { ratio: Number.NaN, interval: null };
  const skipped = skippedEachSide(one.length, other.length, (1 - confidence) / 2);
  const interval: Interval | null =
    skipped < 0 ? null : [ratios[skipped] as number, ratios[ratios.length - 1 - skipped] as number];
  return { ratio: median(ratios), interval };
}

/** Returns the largest u with P(U <= u) <= `limit` under equal distributions; -1 where there is none. */
function skippedEachSide(n: number, m: number, limit: number): number {
  if (n * m > MOST_EXACT) {
    const deviation = Math.sqrt((n * m * (n + m + 1)) / 12);
    return Math.floor((n * m) / 2 - normalQuantile(1 - limit) * deviation - 1);
  }
  let cumulated = 0;
  for (const [u, share] of mannWhitney(n, m).entries()) {
    cumulated += share;
    if (cumulated > limit) return u - 1;
  }
  return n * m;
}

/** Returns P(U = u) for u = 0..nm by the recursion of Mann and Whitney (1947) on the largest value of all. */
function mannWhitney(n: number, m: number): Float64Array {
  let rows = Array.from({ length: m + 1 }, () => Float64Array.of(1));
  for (let i = 1; i <= n; i++) {
    const next = [Float64Array.of(1)];
    for (let j = 1; j <= m; j++) {
      const shares = new Float64Array(i * j + 1);
      const [withoutOne, withoutOther] = [rows[j] as Float64Array, next[j - 1] as Float64Array];
      for (let u = 0; u < shares.length; u++)
        shares[u] = (i * (withoutOne[u - j] ?? 0) + j * (withoutOther[u] ?? 0)) / (i + j);
      next.push(shares);
    }
    rows = next;
  }
  return rows[m] as Float64Array;
}

/** Returns the quantile of the standard normal distribution by bisection of an error function (Abramowitz, 7.1.26). */
function normalQuantile(share: number): number {
  let [low, high] = [0, 10];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    const t = 1 / (1 + (0.3275911 * middle) / Math.SQRT2);
    const sum = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce((all, a) => all * t + a, 0);
    const below = 1 - (sum * t * Math.exp((-middle * middle) / 2)) / 2;
    if (below < share) low = middle;
    else high = middle;
  }
  return low;
}
