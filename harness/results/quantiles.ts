/** Returns the value below which the share `q` of the sorted samples lies: nearest rank, always a measured value. */
export function quantileSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new RangeError("no samples");
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[Math.min(rank, sorted.length) - 1] as number;
}

/** Number of samples that all trials together need beyond a percentile for it to be shown... */
const BEYOND_IN_ALL = 20;
/** ...and number that each trial needs. With fewer, the percentile would be the maximum under another name. */
const BEYOND_IN_ONE_TRIAL = 3;

/** True where one trial of `count` samples has a percentile `q` worth keeping. */
export function enoughSamples(q: number, count: number): boolean {
  return count * (1 - q) >= BEYOND_IN_ONE_TRIAL - 1e-9;
}

/** True where trials of these sizes together support the percentile `q`. */
export function enoughTogether(q: number, counts: readonly number[]): boolean {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total * (1 - q) >= BEYOND_IN_ALL - 1e-9 && counts.every((count) => enoughSamples(q, count));
}

/**
 * Number of samples that a settled percentile has beyond it. With fewer it is rough: a few stalls move it, and no gate
 * may use it.
 */
const BEYOND_TO_SETTLE = 100;

/** True where a percentile `q` over `count` samples is rough: too few samples lie beyond it to settle it. */
export function isRough(q: number, count: number): boolean {
  return count * (1 - q) < BEYOND_TO_SETTLE - 1e-9;
}

/** Returns the median; the mean of the middle two for an even count. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2;
}
