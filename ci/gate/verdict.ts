import { type Effect, effectOf } from "./effect.ts";
import { signFlipP } from "./sign-flip.ts";

export interface GateRule {
  /** Smallest slowdown that counts, such as 0.05. */
  readonly minEffect: number;
  /** Slowdown that must be excluded for a pass, such as 0.2. */
  readonly tolerance: number;
  /** Error level of the whole gate, shared among the cells of the second stage. */
  readonly alpha: number;
}

export const DEFAULT_RULE: GateRule = { minEffect: 0.05, tolerance: 0.2, alpha: 0.01 };

/** p50 of both sides in one pair of fresh trials, ns. */
export interface Pair {
  readonly base: number;
  readonly head: number;
}

export interface Evidence {
  readonly pairs: number;
  readonly p: number;
  readonly effect: Effect;
}

export type Outcome = "not-slower" | "regression" | "undecided";

const HINT_P = 0.05;
/** Ratio below which a head is suspicious: it may have lost some of its work. */
const SUSPICIOUS_RATIO = 0.5;

export function evidenceOf(pairs: readonly Pair[], random: () => number): Evidence {
  const differences = pairs.map(({ base, head }) => Math.log(head) - Math.log(base));
  return { pairs: pairs.length, p: signFlipP(differences, random), effect: effectOf(differences) };
}

/** First stage: true when this cell is settled as not slower; all others are measured again. */
export function settledByScreen({ p, effect }: Evidence, rule: GateRule): boolean {
  const hint = p <= HINT_P && effect.ratio >= 1 + rule.minEffect / 2;
  return !hint && excludesTolerance(effect, rule);
}

/** Judges the second stage, on fresh pairs only. @param cells number of cells in this stage */
export function judge({ p, effect }: Evidence, rule: GateRule, cells: number): Outcome {
  if (p <= rule.alpha / Math.max(1, cells) && effect.ratio >= 1 + rule.minEffect) return "regression";
  return excludesTolerance(effect, rule) ? "not-slower" : "undecided";
}

/** True where the interval excludes the tolerance. A missing interval or NaN excludes nothing. */
function excludesTolerance({ interval }: Effect, { tolerance }: GateRule): boolean {
  return interval !== undefined && interval[1] < 1 + tolerance;
}

export function suspiciouslyFast({ effect }: Evidence): boolean {
  return effect.interval !== undefined && effect.interval[1] < SUSPICIOUS_RATIO;
}
