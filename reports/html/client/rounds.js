// What harness/results/ranking.ts does, for the browser, where rows can be unselected; a test keeps the two equal.

/** @typedef {readonly [number, number]} Interval */
/** @typedef {{ name: string, rounds: ReadonlyMap<number, number>, typical: number }} Contender */
/** @typedef {{ ratio: number, interval: Interval | null }} Comparison */
/** @typedef {"best" | "tied" | "behind" | "unknown"} Standing */

const MOST_COMPARED = 64;

/** @param {readonly number[]} sorted */
function medianOfSorted(sorted) {
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? 0) + high) / 2;
}

/** How many values may be cut at each end of an interval of at least 95 %, or -1. @param {number} n */
function skippedEachSide(n) {
  let probability = 0.5 ** n;
  let cumulated = 0;
  for (let k = 0; k < n; k++) {
    cumulated += probability;
    if (cumulated > 0.025) return k - 1;
    probability *= (n - k) / (k + 1);
  }
  return -1;
}

/** @param {Contender} one @param {Contender} other @returns {Comparison} */
function compareRounds(one, other) {
  const ratios = [...one.rounds]
    .flatMap(([round, cost]) => {
      const reference = other.rounds.get(round);
      return reference === undefined ? [] : [cost / reference];
    })
    .sort((a, b) => a - b);
  const skip = skippedEachSide(ratios.length);
  const [low, high] = skip < 0 ? [] : [ratios[skip], ratios[ratios.length - 1 - skip]];
  return {
    ratio: ratios.length === 0 ? one.typical / other.typical : medianOfSorted(ratios),
    interval: low === undefined || high === undefined ? null : [low, high],
  };
}

/** @param {Comparison} comparison @returns {Standing} */
function standingOf({ interval }) {
  if (interval === null) return "unknown";
  return interval[0] > 1 ? "behind" : "tied";
}

/**
 * The best first, the others by their ratio to it.
 * @template {Contender} Row @param {readonly Row[]} rows
 * @returns {{ row: Row, comparison: Comparison, standing: Standing }[]}
 */
export function rankByRounds(rows) {
  /** @param {Row} a @param {Row} b */
  const bySize = (a, b) => a.typical - b.typical || a.name.localeCompare(b.name);
  const contenders = [...rows].sort(bySize).slice(0, MOST_COMPARED);
  const worst = contenders.map((row) => ({
    row,
    ratio: Math.max(1, ...contenders.map((other) => compareRounds(row, other).ratio)),
  }));
  const best = worst.sort((a, b) => a.ratio - b.ratio)[0]?.row;
  if (best === undefined) return [];
  const others = rows
    .filter((row) => row !== best)
    .map((row) => {
      const comparison = compareRounds(row, best);
      return { row, comparison, standing: standingOf(comparison) };
    })
    .sort((a, b) => a.comparison.ratio - b.comparison.ratio || bySize(a.row, b.row));
  const told = others.every(({ standing }) => standing !== "unknown");
  return [{ row: best, comparison: compareRounds(best, best), standing: told ? "best" : "unknown" }, ...others];
}
