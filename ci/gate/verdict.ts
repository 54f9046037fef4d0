/** Rule of the gate, pure: when to stop looking at a cell, and with which outcome. `README.md` states it in words. */
import type { Interval } from "../../harness/results/model.ts";
import { quantileSorted } from "../../harness/results/quantiles.ts";
import { randomFrom } from "../../harness/results/random.ts";
import { SignedRanks, standardErrors } from "./signed-rank.ts";

/** Limits of one cell and metric. */
export interface Limits {
  /** Smallest slowdown that is a regression, such as 0.05. */
  readonly minEffect: number;
  /** Slowdown that must be excluded for a pass, such as 0.2. */
  readonly tolerance: number;
}

export interface GateRule extends Limits {
  /** Probability that a gate without any slowdown reports one: over all cells, metrics and looks. */
  readonly alpha: number;
}

export const DEFAULT_RULE: GateRule = { minEffect: 0.05, tolerance: 0.2, alpha: 0.01 };

/**
 * Probability that a slowdown of the tolerance passes, over all looks. It needs no share per cell: a gate passes only
 * where every cell excludes its tolerance (intersection-union test, Berger 1982).
 */
const PASS_LEVEL = 0.025;
const CONFIDENCE = 0.95;
/** A cell is looked at further while its p is at most this and its estimate is at least half the smallest effect. */
const HINT_P = 0.2;
/** Ratio of needed to affordable pairs beyond which going on is pointless. The need is a guess from few pairs. */
const FUTILE_FACTOR = 2;
const FUTILE_FROM_LOOK = 2;
const MOST_PAIRS_GUESSED = 1000;
const POWER = 0.8;
/** Number of simulated gates behind a slowdown that is found with that power: it is exact to 1.3 %. */
const SIMULATED = 1000;
/** Ratio below which a head is suspicious: it may have lost some of its work. */
const SUSPICIOUS_RATIO = 0.5;

/**
 * Returns the share of an error level that look k = 1, 2, ... may spend: 1/2, 1/6, 1/12, ... The shares of all looks
 * add up to 1, however many there are, so the errors of all looks together stay below the level (Boole's inequality,
 * with a convergent series of levels as in Darling and Robbins 1967). No largest number of looks has to be known.
 */
export function shareOfLook(look: number): number {
  return 1 / (look * (look + 1));
}

/** Time of head relative to the base: 1.05 is 5 % slower. */
export interface Effect {
  /** Hodges-Lehmann estimate of the ratio. */
  readonly ratio: number;
  /** 95 % interval, for the reader; absent with fewer than 6 pairs. */
  readonly interval?: Interval;
}

export interface Evidence {
  readonly pairs: number;
  /** Number of looks at the data so far. */
  readonly looks: number;
  /** One-sided p-value of the hypothesis that the head is not slower. */
  readonly p: number;
  readonly effect: Effect;
  /** Smallest ratio that is excluded, by the error level of this look; absent with too few pairs. */
  readonly excluded?: number;
}

/** `open`: more pairs can decide. */
export type State = "open" | "not-slower" | "regression" | "undecided";
export type Outcome = Exclude<State, "open">;

/** @param differences log head minus log base, one per pair */
export function evidenceOf(differences: readonly number[], looks: number): Evidence {
  const usable = differences.every(Number.isFinite) && differences.length > 0;
  if (!usable) return { pairs: differences.length, looks, p: 1, effect: { ratio: Number.NaN } };
  const ranks = new SignedRanks(differences);
  const bound = ranks.upperBound(PASS_LEVEL * shareOfLook(looks));
  return {
    pairs: differences.length,
    looks,
    p: ranks.p,
    effect: effectOf(ranks),
    ...(bound === undefined ? {} : { excluded: Math.exp(bound) }),
  };
}

/** @param ranks of log ratios */
export function effectOf(ranks: SignedRanks): Effect {
  const interval = ranks.interval(CONFIDENCE);
  const ratio = Math.exp(ranks.estimate);
  return interval === undefined ? { ratio } : { ratio, interval: [Math.exp(interval[0]), Math.exp(interval[1])] };
}

export interface Question extends Limits {
  /** Error level of this cell and metric: that of the gate, divided by their number (Bonferroni). */
  readonly alpha: number;
  /** Number of further pairs that the budget allows. */
  readonly affordable: number;
  /** Number of pairs between two looks. */
  readonly step: number;
}

/** Judges one look at the data. */
export function judge(evidence: Evidence, question: Question): State {
  if (isRegression(evidence, question)) return "regression";
  const isExcluded = excludes(evidence, question.tolerance);
  if (isExcluded && !isHint(evidence, question, HINT_P)) return "not-slower";
  if (question.affordable > 0 && !isFutile(evidence, question)) return "open";
  return isExcluded ? "not-slower" : "undecided";
}

function isRegression({ p, effect, looks }: Evidence, { alpha, minEffect }: Question): boolean {
  return p <= alpha * shareOfLook(looks) && effect.ratio >= 1 + minEffect;
}

/** True where a cell looks slower. @param level largest p of a hint */
export function isHint({ p, effect }: Evidence, { minEffect }: Limits, level: number): boolean {
  return p <= level && effect.ratio >= 1 + minEffect / 2;
}

/** True where the slowdown is excluded. A missing bound or NaN excludes nothing. */
function excludes({ excluded }: Evidence, slowdown: number): boolean {
  return excluded !== undefined && excluded < 1 + slowdown;
}

function isFutile(evidence: Evidence, question: Question): boolean {
  if (evidence.looks < FUTILE_FROM_LOOK) return false;
  const needed = pairsToDecide(evidence, question);
  return needed === undefined || needed > FUTILE_FACTOR * question.affordable;
}

/**
 * Guesses how many more pairs would decide, if the estimate and the scatter stay as they are; undefined where that
 * would be more than 1000 pairs.
 */
export function pairsToDecide(evidence: Evidence, question: Omit<Question, "affordable">): number | undefined {
  const { minEffect, tolerance, alpha, step } = question;
  const scatter = scatterOf(evidence);
  if (scatter === undefined) return step;
  const center = Math.log(evidence.effect.ratio);
  for (let look = evidence.looks + 1, n = evidence.pairs + step; n <= MOST_PAIRS_GUESSED; look++, n += step) {
    const error = scatter / Math.sqrt(n);
    const share = shareOfLook(look);
    const [toPass, toFind] = [standardErrors(n, PASS_LEVEL * share), standardErrors(n, alpha * share)];
    const passes = toPass !== undefined && center + toPass * error < Math.log1p(tolerance);
    const finds = toFind !== undefined && center - toFind * error > 0 && center >= Math.log1p(minEffect);
    if (passes || finds) return n - evidence.pairs;
  }
  return undefined;
}

/** Returns the scatter of the log ratios of single pairs, from the width of the interval. */
function scatterOf({ effect, pairs }: Pick<Evidence, "effect" | "pairs">): number | undefined {
  const errors = standardErrors(pairs, (1 - CONFIDENCE) / 2);
  if (effect.interval === undefined || errors === undefined) return undefined;
  const [low, high] = effect.interval;
  return ((Math.log(high) - Math.log(low)) / 2 / errors) * Math.sqrt(pairs);
}

/**
 * Returns the slowdown that a gate of up to so many pairs finds with 80 % power where the pairs scatter like these. At
 * one of its looks it must be told from chance, and be estimated as at least the smallest effect. Each look is another
 * chance, so this is less than what the last look alone would find.
 *
 * Simulated with normal errors, the same ones in each call. An effect only shifts the estimates of a simulated gate. So
 * each of them has a least effect that it finds, and the result is the one that 80 % of them find.
 */
export function detectable(
  evidence: Pick<Evidence, "effect" | "pairs">,
  { minEffect, alpha, step }: Omit<Question, "affordable" | "tolerance">,
  most: number,
): number | undefined {
  const scatter = scatterOf(evidence);
  const looks = Array.from({ length: Math.max(1, Math.ceil(most / step)) }, (_, index) => {
    const pairs = Math.min(most, (index + 1) * step);
    const errors = standardErrors(pairs, alpha * shareOfLook(index + 1));
    return { pairs, added: Math.sqrt(pairs - index * step), errors: errors && errors / Math.sqrt(pairs) };
  });
  if (scatter === undefined || looks.every(({ errors }) => errors === undefined)) return undefined;
  const least = Math.log1p(minEffect);
  const normal = normalsFrom(1);
  const sums = new Float64Array(SIMULATED);
  const needed = new Float64Array(SIMULATED).fill(Number.POSITIVE_INFINITY);
  for (const { pairs, added, errors } of looks) {
    for (let gate = 0; gate < SIMULATED; gate++) {
      const sum = (sums[gate] as number) + added * normal();
      sums[gate] = sum;
      if (errors === undefined) continue;
      const found = Math.max(errors * scatter, least) - (sum / pairs) * scatter;
      needed[gate] = Math.min(needed[gate] as number, found);
    }
  }
  return Math.expm1(quantileSorted(needed.sort(), POWER));
}

/** Returns a generator of numbers from a standard normal distribution (Box and Muller 1958). */
function normalsFrom(seed: number): () => number {
  const random = randomFrom(seed);
  let next: number | undefined;
  return () => {
    const made = next;
    next = undefined;
    if (made !== undefined) return made;
    const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - random())), 2 * Math.PI * random()];
    next = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

export function suspiciouslyFast({ effect }: Evidence): boolean {
  return effect.interval !== undefined && effect.interval[1] < SUSPICIOUS_RATIO;
}
