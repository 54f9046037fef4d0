/** Smallest number of trials in a group: one outlier is no group. */
const LEAST_IN_GROUP = 2;
const LEAST_TRIALS = 6;
/** Smallest gap between the groups, as a multiple of the wider group's width... */
const GAP_TO_WIDTH = 2;
/** ...and as a share of the faster group's level: two tight groups next to each other are one. */
const GAP_TO_LEVEL = 0.25;

/**
 * True where the trials fall into two groups with a wide gap between them. Their median then describes neither group.
 */
export function isBimodal(values: readonly number[]): boolean {
  if (values.length < LEAST_TRIALS) return false;
  const sorted = [...values].sort((a, b) => a - b);
  let split = 1;
  for (let at = 2; at < sorted.length; at++) if (gap(sorted, at) > gap(sorted, split)) split = at;
  const low = sorted.slice(0, split);
  const high = sorted.slice(split);
  if (low.length < LEAST_IN_GROUP || high.length < LEAST_IN_GROUP) return false;
  const wide = Math.max(width(low), width(high));
  const between = gap(sorted, split);
  return between >= GAP_TO_WIDTH * wide && between >= GAP_TO_LEVEL * (low[0] as number);
}

function gap(sorted: readonly number[], at: number): number {
  return (sorted[at] as number) - (sorted[at - 1] as number);
}

function width(sorted: readonly number[]): number {
  return (sorted.at(-1) as number) - (sorted[0] as number);
}
