import { medianInterval } from "./intervals.ts";
import type { Interval, Measurement, ValidTrial } from "./model.ts";
import { median } from "./quantiles.ts";

/** Cost of a row in each round, by the number of the round: smaller is better, all rows of a group in the same unit. */
export type Rounds = ReadonlyMap<number, number>;

/**
 * Cost of one row relative to another. An interval without 1 tells the two apart, one that contains 1 is a tie;
 * without an interval the run cannot tell.
 */
export interface Comparison {
  /** NaN where no round is common. */
  readonly ratio: number;
  /** 95 % interval; null where the two have fewer than 6 rounds in common. */
  readonly interval: Interval | null;
  /** Rounds in which both were measured. */
  readonly common: number;
}

/**
 * Place of a row in its group. `tied`: this run does not tell it from the best. `unknown`: too few rounds in common
 * with the first row, which is then `unknown` itself instead of `best`.
 */
export type Standing = "best" | "tied" | "behind" | "unknown";

/** A row that can be ranked. */
export interface Contender {
  /** Name, which decides between rows with equal numbers. */
  readonly name: string;
  readonly rounds: Rounds;
  /** Median cost; used where no round is common, as in old reports without trials. */
  readonly typical: number;
}

export interface Ranked<Row extends Contender> {
  readonly row: Row;
  /** Ratio of the row to the best of the group. */
  readonly comparison: Comparison;
  readonly standing: Standing;
}

/** Largest number of rows, of the smallest medians, among which the best is searched; only forged reports have more. */
const MOST_COMPARED = 64;

/**
 * Returns the cost of rows per round in which all were valid: the geometric mean, so that no size dominates.
 * @param costOf cost of one trial, p50 in ns by default; a value that is not positive leaves the round out
 */
export function roundsOf(
  rows: readonly Pick<Measurement, "trials">[],
  costOf: (trial: ValidTrial) => number | undefined = ({ latencyNs }) => latencyNs?.p50,
): Rounds {
  const rounds = new Map<number, number[]>();
  for (const { trials } of rows)
    for (const trial of trials) {
      const cost = trial.status === "valid" ? costOf(trial) : undefined;
      if (cost !== undefined && cost > 0 && cost < Number.POSITIVE_INFINITY)
        rounds.set(trial.round, [...(rounds.get(trial.round) ?? []), cost]);
    }
  const complete = [...rounds].filter(([, costs]) => costs.length === rows.length);
  return new Map(complete.map(([round, costs]) => [round, geometricMean(costs)]));
}

/** Returns the geometric mean, exact for one value, so that a table of one size and the pick agree to the last bit. */
export function geometricMean(values: readonly number[]): number {
  return values.reduce((product, value) => product * value ** (1 / values.length), 1);
}

/** Returns the side with the lower costs by an interval of ratios: 1 the first, -1 the other, 0 where it holds 1. */
export function toldSide(interval: Interval | null): -1 | 0 | 1 {
  if (interval === null) return 0;
  return interval[1] < 1 ? 1 : interval[0] > 1 ? -1 : 0;
}

/**
 * Compares two rows by their ratios within the same rounds, which removes the machine's changes between rounds.
 * The ratio is the median over rounds; its interval, the order statistics that the sign test does not reject
 * (Conover, Practical Nonparametric Statistics, 3.2 and 3.4).
 */
export function compareRounds(one: Rounds, other: Rounds): Comparison {
  const ratios = ratiosOf(one, other);
  const common = ratios.length;
  return { ratio: common === 0 ? Number.NaN : median(ratios), interval: medianInterval(ratios) ?? null, common };
}

/** Returns the ratio of two rows in each round that they have in common. */
function ratiosOf(one: Rounds, other: Rounds): number[] {
  const ratios: number[] = [];
  for (const [round, cost] of one) {
    const reference = other.get(round);
    if (reference !== undefined) ratios.push(cost / reference);
  }
  return ratios;
}

function compare(one: Contender, other: Contender): Comparison {
  const found = compareRounds(one.rounds, other.rounds);
  return found.common === 0 ? { ...found, ratio: one.typical / other.typical } : found;
}

/**
 * Ranks a group: the best first, the others by their ratio to it. The best is the row whose largest ratio to any other
 * row is the smallest. Where one row is ahead of all others, it is that one; there may be none, since medians of ratios
 * need not be transitive.
 */
export function rankByRounds<Row extends Contender>(rows: readonly Row[]): Ranked<Row>[] {
  const bySize = (a: Row, b: Row): number => a.typical - b.typical || a.name.localeCompare(b.name);
  const contenders = rows.toSorted(bySize).slice(0, MOST_COMPARED);
  const best = leastBehind(contenders);
  if (best === undefined) return [];
  const others = rows
    .filter((row) => row !== best)
    .map((row) => {
      const comparison = compare(row, best);
      return { row, comparison, standing: standingOf(comparison.interval) };
    })
    .toSorted((a, b) => a.comparison.ratio - b.comparison.ratio || bySize(a.row, b.row));
  const told = others.every(({ standing }) => standing !== "unknown");
  return [{ row: best, comparison: compare(best, best), standing: told ? "best" : "unknown" }, ...others];
}

/**
 * Returns the row whose largest ratio to any other row is the smallest, and the first of equal ones. A row is given up
 * as soon as it is further behind than the best so far: a page ranks 45 rows at 12 sizes while its reader waits.
 */
function leastBehind<Row extends Contender>(rows: readonly Row[]): Row | undefined {
  let best: { readonly row: Row; readonly ratio: number } | undefined;
  for (const row of rows) {
    let largest = 1;
    for (const other of rows) {
      if (best !== undefined && largest >= best.ratio) break;
      const ratios = ratiosOf(row.rounds, other.rounds);
      largest = Math.max(largest, ratios.length === 0 ? row.typical / other.typical : median(ratios));
    }
    if (best === undefined || largest < best.ratio) best = { row, ratio: largest };
  }
  return best?.row;
}

/**
 * Returns the place of a row by the interval of its ratio to the best. A row that is ahead of the best, which a circle
 * makes possible, is a tie.
 */
export function standingOf(interval: Interval | null): Standing {
  if (interval === null) return "unknown";
  return interval[0] > 1 ? "behind" : "tied";
}
