import { medianInterval } from "../results/intervals.ts";
import { median } from "../results/quantiles.ts";
import type { Effort } from "./plan.ts";

/** How long a run goes on. Whatever the rule, it looks at the clock or at the width of intervals and never at who is ahead. */
export type Length =
  /** So many rounds; with a budget the windows shrink to fit it. */
  | {
      readonly rule: "fixed";
      readonly effort: Effort;
      readonly trials: number;
      readonly budgetMs?: number;
      readonly strict: boolean;
    }
  /** Whole rounds until the time is used. */
  | {
      readonly rule: "budget";
      readonly effort: Effort;
      readonly least: number;
      readonly most: number;
      readonly budgetMs: number;
      /** The time is a promise and goes before the number of rounds. */
      readonly strict: boolean;
    }
  /** Until half the width of every p50 interval is below `target` of it; looked at after 10, 20, 40, ... rounds only. */
  | {
      readonly rule: "until";
      readonly effort: Effort;
      readonly target: number;
      readonly most: number;
      readonly budgetMs?: number;
    };

/** Below this there is no 95 % interval. */
export const LEAST_FOR_INTERVAL = 6;
const FIRST_LOOK = 10;
/** A run may take so much longer than was said, and no more. */
const STRETCH = 1.1;

export interface RoundState {
  /** Rounds done. */
  readonly done: number;
  /** Since the run began, calibration included. */
  readonly elapsedMs: number;
  /** Of the newest rounds. */
  readonly roundMs: number;
  /** p50 of every trial, per cell; asked for at the looks only. */
  readonly p50s: () => readonly (readonly number[])[];
}

/** Why the run ends here; undefined: one more round. */
export function whyStop(length: Length, state: RoundState): string | undefined {
  const { done, elapsedMs, roundMs } = state;
  if (done === 0) return undefined;
  // Half a round: the end is then as often a little early as a little late.
  const fits = (budgetMs: number): boolean => elapsedMs + roundMs / 2 <= budgetMs;
  switch (length.rule) {
    case "fixed":
      if (done >= length.trials) return `all ${done} rounds done`;
      if (length.strict && elapsedMs + roundMs > (length.budgetMs ?? Infinity) * STRETCH) {
        return `the time was used up after ${done} of ${length.trials} rounds`;
      }
      return undefined;
    case "budget":
      if (done >= length.most) return `${done} rounds, the most there may be`;
      if (length.strict && elapsedMs + roundMs > length.budgetMs * STRETCH) return `the time was used: ${done} rounds`;
      return done >= length.least && !fits(length.budgetMs) ? `the time was used: ${done} rounds` : undefined;
    case "until":
      return whyStopPrecise(length, state);
  }
}

/** How many more rounds there will be, as far as can be seen from here; at least one. */
export function roundsLeft(length: Length, { done, elapsedMs, roundMs }: Omit<RoundState, "p50s">): number {
  switch (length.rule) {
    case "fixed":
      return Math.max(1, length.trials - done);
    case "budget": {
      const fitting = Math.round((length.budgetMs - elapsedMs) / Math.max(1, roundMs));
      return Math.max(1, Math.min(length.most - done, Math.max(length.least - done, fitting)));
    }
    case "until": {
      let look = FIRST_LOOK;
      while (look <= done) look *= 2;
      return Math.max(1, Math.min(look, length.most) - done);
    }
  }
}

function whyStopPrecise(length: Extract<Length, { rule: "until" }>, state: RoundState): string | undefined {
  const { done, elapsedMs, roundMs, p50s } = state;
  if (isLook(done)) {
    const widest = Math.max(0, ...p50s().map(relativeHalfWidth));
    if (widest <= length.target) return `every p50 interval is within ±${percent(length.target)} after ${done} rounds`;
  }
  if (done >= length.most) return `the cap of ${done} rounds was reached before ±${percent(length.target)}`;
  if (length.budgetMs !== undefined && elapsedMs + roundMs > length.budgetMs * STRETCH) {
    return `the time was used up after ${done} rounds, before ±${percent(length.target)}`;
  }
  return undefined;
}

/** 10, 20, 40, 80, ...: each further look would be another chance to stop on luck. */
export function isLook(rounds: number): boolean {
  const times = rounds / FIRST_LOOK;
  return Number.isInteger(times) && times >= 1 && (times & (times - 1)) === 0;
}

/** Half the width of the interval of the median, relative to it; Infinity without an interval. */
export function relativeHalfWidth(values: readonly number[]): number {
  const interval = medianInterval(values);
  if (interval === undefined) return Number.POSITIVE_INFINITY;
  return (interval[1] - interval[0]) / 2 / median(values);
}

export function isReached(length: Length, p50s: readonly (readonly number[])[]): boolean | undefined {
  return length.rule === "until" ? p50s.every((values) => relativeHalfWidth(values) <= length.target) : undefined;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
