import { medianInterval } from "../results/intervals.ts";
import type { Interval } from "../results/model.ts";
import { median } from "../results/quantiles.ts";

/** Costs of a candidate in one round, ns, one for each size of the question. */
export type RequestCosts = ReadonlyMap<number, readonly number[]>;

/** Smallest difference that is worth a decision. */
export interface Margin {
  /** Share of the time of a request: 0.1 is 10 %. */
  readonly share: number;
  /** Work that a request does beside the exchange and that was not measured, ns. */
  readonly assumedWorkNs: number;
  /** Work that the server did in each measured request, ns: part of the costs. */
  readonly measuredWorkNs: number;
  /** Number of requests whose work each request waits for, its own included; default 1. */
  readonly queued?: number;
}

/** Difference between a candidate and the fastest for a request, its work included. */
export interface Materiality {
  /**
   * `yes`: the request takes longer by more than the margin. `no`: it differs by less than the margin, up or down
   * (equivalence). Either is wrong in at most 5 % of cases. `unclear`: this run shows neither.
   */
  readonly matters: "yes" | "no" | "unclear";
  /** Time of a request relative to that with the fastest: median over rounds. */
  readonly ratio: number;
  /** Two one-sided 95 % bounds of it; null with fewer than 5 common rounds. */
  readonly bounds: Interval | null;
  /** Time that the fastest saves on each request, ns: median over rounds of the mean over sizes; may be negative. */
  readonly savedNs: number;
  /** Work in a request at which the difference is the margin, ns; with more, it is below. Null where it always is. */
  readonly breakEvenWorkNs: number | null;
  /** Works at which the two bounds are the margin, ns: a lower one of 0 is open. Null without bounds. */
  readonly breakEvenBounds: Interval | null;
}

/** Confidence of two one-sided tests at 5 % each. */
const CONFIDENCE = 0.9;
const STEPS = 60;

/**
 * Tests whether a difference matters: two one-sided tests (Schuirmann 1987) on the ratio of request times,
 * (work + cost) / (work + cost of the fastest), by rounds, with order-statistic bounds of its median. Several sizes
 * count alike: geometric mean of their ratios.
 */
export function materiality(costs: RequestCosts, fastest: RequestCosts, margin: Margin): Materiality | undefined {
  const pairs = [...costs].flatMap(([round, own]): Pair[] => {
    const other = fastest.get(round);
    return other === undefined ? [] : [{ own, other }];
  });
  if (pairs.length === 0) return undefined;
  const ratios = ratiosAt(pairs, (margin.queued ?? 1) * margin.assumedWorkNs);
  const bounds = medianInterval(ratios, CONFIDENCE) ?? null;
  return {
    matters: judge(bounds, 1 + margin.share),
    ratio: median(ratios),
    bounds,
    savedNs: median(pairs.map(({ own, other }) => mean(own) - mean(other))),
    breakEvenWorkNs: workAtMargin(pairs, margin, median),
    breakEvenBounds:
      bounds === null
        ? null
        : [workAtMargin(pairs, margin, lowerBound) ?? 0, workAtMargin(pairs, margin, upperBound) ?? 0],
  };
}

interface Pair {
  readonly own: readonly number[];
  readonly other: readonly number[];
}

function judge(bounds: Interval | null, limit: number): Materiality["matters"] {
  if (bounds === null) return "unclear";
  if (bounds[0] > limit) return "yes";
  return bounds[0] > 1 / limit && bounds[1] < limit ? "no" : "unclear";
}

/** Returns the ratio of request times in each round, with this much work on top of what was measured. */
function ratiosAt(pairs: readonly Pair[], workNs: number): number[] {
  return pairs.map(({ own, other }) =>
    own.reduce((product, cost, size) => {
      const reference = other[size] as number;
      // Work that was measured may be subtracted again, and a round may have had a little less of it.
      return product * (atLeast(workNs + cost) / atLeast(workNs + reference)) ** (1 / own.length);
    }, 1),
  );
}

const lowerBound = (ratios: readonly number[]): number => medianInterval(ratios, CONFIDENCE)?.[0] ?? Number.NaN;
const upperBound = (ratios: readonly number[]): number => medianInterval(ratios, CONFIDENCE)?.[1] ?? Number.NaN;

/** Finds by halving the work at which a statistic of the ratios is the margin: ratios fall towards 1 as work grows. */
function workAtMargin(
  pairs: readonly Pair[],
  { share, measuredWorkNs, queued = 1 }: Margin,
  statistic: (ratios: readonly number[]) => number,
): number | null {
  const isAbove = (workNs: number): boolean =>
    statistic(ratiosAt(pairs, queued * (workNs - measuredWorkNs))) > 1 + share;
  if (!isAbove(0)) return null;
  let low = 0;
  let high = 1000;
  while (isAbove(high) && high < 1e12) high *= 2;
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (isAbove(middle)) low = middle;
    else high = middle;
  }
  return high;
}

/** Resolution of the clock, ns: no request takes less. */
const LEAST_NS = 1;
const atLeast = (ns: number): number => Math.max(LEAST_NS, ns);

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
