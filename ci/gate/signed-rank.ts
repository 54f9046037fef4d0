/** Exact Wilcoxon signed-rank statistics of paired differences: test, estimate and bounds from the same ranks. */
import type { Interval } from "../../harness/results/model.ts";

/** Distributions that were worked out, by the number of values: entry w is P(W <= w). */
const known = new Map<number, Float64Array>();
/** Shares P(W = w) for the largest n so far, from which the next n is made. */
let last = { n: 0, shares: Float64Array.of(1) };

/**
 * Returns P(W <= w) for w = 0..n(n+1)/2, where W is the sum of the ranks of the positive ones among n differences, each
 * of which is positive with probability 1/2. Exact: the number of subsets of 1..n with each sum.
 */
function distributionOf(n: number): Float64Array {
  const found = known.get(n);
  if (found !== undefined) return found;
  if (n < last.n) last = { n: 0, shares: Float64Array.of(1) };
  for (let rank = last.n + 1; rank <= n; rank++) {
    const before = last.shares;
    const shares = new Float64Array(before.length + rank);
    for (let sum = 0; sum < shares.length; sum++) {
      shares[sum] = ((before[sum] ?? 0) + (sum >= rank ? (before[sum - rank] as number) : 0)) / 2;
    }
    last = { n: rank, shares };
  }
  let cumulated = 0;
  const distribution = last.shares.map((share) => {
    cumulated += share;
    return cumulated;
  });
  known.set(n, distribution);
  return distribution;
}

/** Sorted means of all pairs of differences, each with itself included (Walsh averages), and their statistics. */
export class SignedRanks {
  readonly n: number;
  readonly #walsh: Float64Array;

  /** @param differences one per pair of trials, at least one */
  constructor(differences: readonly number[]) {
    const n = differences.length;
    this.n = n;
    this.#walsh = new Float64Array((n * (n + 1)) / 2);
    let at = 0;
    for (let i = 0; i < n; i++) {
      for (let j = i; j < n; j++) {
        this.#walsh[at++] = ((differences[i] as number) + (differences[j] as number)) / 2;
      }
    }
    this.#walsh.sort();
  }

  /**
   * Returns the one-sided p of the signed-rank test: P(W >= w), with w the number of positive Walsh averages, which is
   * the sum of the positive ranks (Tukey 1949). A difference of zero counts as negative, so ties make p larger only.
   * R: `wilcox.test(x, alternative = "greater", exact = TRUE)`.
   */
  get p(): number {
    const positive = this.#walsh.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
    // P(W >= w) = P(W <= total - w), by symmetry.
    const rest = this.#walsh.length - positive;
    return distributionOf(this.n)[rest] as number;
  }

  /** Hodges-Lehmann estimate of the typical difference: the median of the Walsh averages. */
  get estimate(): number {
    const { length } = this.#walsh;
    return ((this.#walsh[(length - 1) >> 1] as number) + (this.#walsh[length >> 1] as number)) / 2;
  }

  /**
   * Returns the upper bound that a one-sided test at this level gives; undefined with too few differences. Bounds and
   * test belong together: `lowerBound` is above zero exactly where p is at most the level.
   */
  upperBound(level: number): number | undefined {
    const skip = skippedWalsh(this.n, level);
    return skip < 0 ? undefined : this.#walsh[this.#walsh.length - 1 - skip];
  }

  lowerBound(level: number): number | undefined {
    const skip = skippedWalsh(this.n, level);
    return skip < 0 ? undefined : this.#walsh[skip];
  }

  /** Returns the two-sided interval, such as that of 95 %; undefined with too few differences. */
  interval(confidence: number): Interval | undefined {
    const level = (1 - confidence) / 2;
    const [low, high] = [this.lowerBound(level), this.upperBound(level)];
    return low === undefined || high === undefined ? undefined : [low, high];
  }
}

/**
 * Returns the number of Walsh averages to leave out at one end: the largest k with P(W <= k) <= level, so that the next
 * one is the bound; -1 when even the outermost covers less. R: `qsignrank(level, n) - 1`, as in
 * `wilcox.test(conf.int = TRUE)`.
 */
export function skippedWalsh(n: number, level: number): number {
  const distribution = distributionOf(n);
  let [low, high] = [-1, distribution.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((distribution[middle] as number) <= level) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Number of differences from which that distance hardly changes any more: it is nearly that of the normal law. */
const MANY = 100;

/** Returns the distance from the estimate to a bound, in standard errors; undefined with too few differences. */
export function standardErrors(of: number, level: number): number | undefined {
  const n = Math.min(of, MANY);
  const skip = skippedWalsh(n, level);
  if (skip < 0) return undefined;
  return ((n * (n + 1)) / 4 - skip) / Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
}
