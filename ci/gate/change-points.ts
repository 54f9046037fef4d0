/** Permutations per wanted error level: the p of a split is then known to a fifth of the level. */
const PERMUTATIONS = 20;
/** Smallest number of values between two changes: with fewer on both sides no order of ranks is rare enough. */
export const LEAST_SEGMENT = 5;

/**
 * Returns the places where the level of a series changes: indices of the first value behind each change, ascending.
 *
 * Binary segmentation (Vostrikova 1981; Fryzlewicz 2014 has its limits): the most likely change splits the series, and
 * each part is examined again. The statistic is the largest cumulated sum of centred ranks (Pettitt 1979), so neither
 * outliers nor the distribution matter. A split counts where at most `level` of random orders of the same values reach
 * it (permutation test), which assumes that values without a change could have come in any order.
 *
 * @param level error level of each test, such as 0.01
 */
export function changePoints(values: readonly number[], level: number, random: () => number): number[] {
  const split = (from: number, to: number): number[] => {
    const at = mostLikelyChange(values.slice(from, to), level, random);
    return at === undefined ? [] : [...split(from, from + at), from + at, ...split(from + at, to)];
  };
  return split(0, values.length);
}

function mostLikelyChange(values: readonly number[], level: number, random: () => number): number | undefined {
  if (values.length < 2 * LEAST_SEGMENT) return undefined;
  const ranks = centredRanks(values);
  const found = largestSum(ranks);
  const permutations = Math.ceil(PERMUTATIONS / level);
  const most = level * (permutations + 1);
  // The series itself is one of the orders.
  let reached = 1;
  for (let draw = 0; draw < permutations; draw++) {
    shuffle(ranks, random);
    if (largestSum(ranks).sum >= found.sum && ++reached > most) return undefined;
  }
  return found.at;
}

/** Returns ranks less their mean; equal values share the mean of their ranks. */
function centredRanks(values: readonly number[]): Float64Array {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++;
    for (let at = from; at < to; at++) ranks[order[at] as number] = (from + to - values.length) / 2;
  }
  return ranks;
}

/** Returns the largest absolute sum of the values before a place that leaves a segment on both sides. */
function largestSum(ranks: Float64Array): { readonly at: number; readonly sum: number } {
  let [at, largest, sum] = [LEAST_SEGMENT, -1, 0];
  for (let index = 0; index + LEAST_SEGMENT < ranks.length; index++) {
    sum += ranks[index] as number;
    if (index + 1 >= LEAST_SEGMENT && Math.abs(sum) > largest) [at, largest] = [index + 1, Math.abs(sum)];
  }
  return { at, sum: largest };
}

/** Fisher-Yates, in place: thousands of copies would take most of the time. */
function shuffle(values: Float64Array, random: () => number): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = values[last] as number;
    values[last] = values[other] as number;
    values[other] = kept;
  }
}
