/** Size of the difference between base and head, with its interval. */
import type { Interval } from "../../harness/results/model.ts";
import { median } from "../../harness/results/quantiles.ts";

const CONFIDENCE = 0.95;

/** Time of head relative to the base: 1.05 is 5 % slower. */
export interface Effect {
  /** Hodges-Lehmann: exponential of the median of all pairwise means of the log ratios. */
  readonly ratio: number;
  /** 95 % interval from the same pairwise means (Walsh averages) and the exact Wilcoxon signed-rank distribution. */
  readonly interval?: Interval;
}

/** @param differences log head minus log base, one per pair, at least one */
export function effectOf(differences: readonly number[]): Effect {
  const walsh: number[] = [];
  for (let i = 0; i < differences.length; i++) {
    for (let j = i; j < differences.length; j++) {
      walsh.push(((differences[i] as number) + (differences[j] as number)) / 2);
    }
  }
  walsh.sort((a, b) => a - b);
  const ratio = Math.exp(median(walsh));
  const skip = skippedWalsh(differences.length);
  if (skip < 0) return { ratio };
  return { ratio, interval: [Math.exp(walsh[skip] as number), Math.exp(walsh[walsh.length - 1 - skip] as number)] };
}

/**
 * Returns the number of Walsh averages to leave out at each end: the largest k with P(W <= k) <= 2.5 %, W the
 * signed-rank statistic of n values; -1 when even the whole range covers less. R: `qsignrank(0.025, n) - 1`, as in
 * `wilcox.test(conf.int = TRUE)`.
 */
export function skippedWalsh(n: number): number {
  const most = (n * (n + 1)) / 2;
  // Number of subsets of the ranks 1..n with each sum, as shares of 2^n.
  let shares = new Float64Array(most + 1);
  shares[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    const next = new Float64Array(most + 1);
    for (let sum = 0; sum <= most; sum++) {
      next[sum] = ((shares[sum] as number) + (sum >= rank ? (shares[sum - rank] as number) : 0)) / 2;
    }
    shares = next;
  }
  let cumulated = 0;
  for (let k = 0; k <= most; k++) {
    cumulated += shares[k] as number;
    if (cumulated > (1 - CONFIDENCE) / 2) return k - 1;
  }
  return -1;
}
