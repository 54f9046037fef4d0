/** Value below which the share `q` of the sorted samples lies: nearest rank, so always a value that was measured. */
export function quantileSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new RangeError("no samples");
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[Math.min(rank, sorted.length) - 1] as number;
}

/** A percentile is shown only with this many samples beyond it. */
export const SAMPLES_BEYOND = 20;

export function enoughFor(q: number, count: number): boolean {
  return count * (1 - q) >= SAMPLES_BEYOND - 1e-9;
}

/** Median; the mean of the middle two for an even count. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2;
}
