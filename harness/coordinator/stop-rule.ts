import { medianInterval } from "../results/intervals.ts";
import { median } from "../results/quantiles.ts";
import type { Effort } from "./plan.ts";

/** Rule for ending a run. It looks at the clock or at the width of intervals, never at which transport is ahead. */
export type StopRule =
  /** Fixed number of rounds; with a budget the windows shrink to fit it. */
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
      /** True where the time is a promise, which has priority over the number of rounds. */
      readonly strict: boolean;
    }
  /**
   * Until half the width of every p50 interval is below the share `target` of its p50. Tested after 10, 20, 40, ...
   * rounds only.
   */
  | {
      readonly rule: "until";
      readonly effort: Effort;
      readonly target: number;
      readonly most: number;
      readonly budgetMs?: number;
    };

/** Smallest number of rounds with a 95 % interval. */
export const LEAST_FOR_INTERVAL = 6;
const FIRST_LOOK = 10;
/** Largest ratio of a run's time to the announced one. */
const STRETCH = 1.1;

export interface RoundState {
  /** Rounds done. */
  readonly done: number;
  /** Time since the run began, ms, calibration included. */
  readonly elapsedMs: number;
  /** Time of one round, from the newest rounds, ms. */
  readonly roundMs: number;
  /** Returns p50 of every trial, per cell; called at the looks only. */
  readonly p50s: () => readonly (readonly number[])[];
}

/** Returns why the run ends here; undefined for one more round. */
export function whyStop(stopRule: StopRule, state: RoundState): string | undefined {
  const { done, elapsedMs, roundMs } = state;
  if (done === 0) return undefined;
  // Half a round: the end is then as often a little early as a little late.
  const fits = (budgetMs: number): boolean => elapsedMs + roundMs / 2 <= budgetMs;
  switch (stopRule.rule) {
    case "fixed":
      if (done >= stopRule.trials) return `${done === 1 ? "1 round" : `all ${done} rounds`} done`;
      if (stopRule.strict && elapsedMs + roundMs > (stopRule.budgetMs ?? Infinity) * STRETCH) {
        return `the time was used up after ${done} of ${stopRule.trials} rounds`;
      }
      return undefined;
    case "budget":
      if (done >= stopRule.most) return `${done} rounds, the most there may be`;
      if (stopRule.strict && elapsedMs + roundMs > stopRule.budgetMs * STRETCH)
        return `the time was used: ${done} rounds`;
      return done >= stopRule.least && !fits(stopRule.budgetMs) ? `the time was used: ${done} rounds` : undefined;
    case "until":
      return whyStopPrecise(stopRule, state);
  }
}

/** Predicts the number of further rounds; at least one. */
export function roundsLeft(stopRule: StopRule, { done, elapsedMs, roundMs }: Omit<RoundState, "p50s">): number {
  switch (stopRule.rule) {
    case "fixed":
      return Math.max(1, stopRule.trials - done);
    case "budget": {
      const fitting = Math.round((stopRule.budgetMs - elapsedMs) / Math.max(1, roundMs));
      return Math.max(1, Math.min(stopRule.most - done, Math.max(stopRule.least - done, fitting)));
    }
    case "until": {
      let look = FIRST_LOOK;
      while (look <= done) look *= 2;
      return Math.max(1, Math.min(look, stopRule.most) - done);
    }
  }
}

function whyStopPrecise(stopRule: Extract<StopRule, { rule: "until" }>, state: RoundState): string | undefined {
  const { done, elapsedMs, roundMs, p50s } = state;
  if (isLook(done)) {
    const widest = Math.max(0, ...p50s().map(relativeHalfWidth));
    if (widest <= stopRule.target)
      return `every p50 interval is within ±${percent(stopRule.target)} after ${done} rounds`;
  }
  if (done >= stopRule.most) return `the cap of ${done} rounds was reached before ±${percent(stopRule.target)}`;
  if (stopRule.budgetMs !== undefined && elapsedMs + roundMs > stopRule.budgetMs * STRETCH) {
    return `the time was used up after ${done} rounds, before ±${percent(stopRule.target)}`;
  }
  return undefined;
}

/** True after 10, 20, 40, 80, ... rounds: each further look would be another chance to stop on luck. */
export function isLook(rounds: number): boolean {
  const times = rounds / FIRST_LOOK;
  return Number.isInteger(times) && times >= 1 && (times & (times - 1)) === 0;
}

/** Returns half the width of the interval of the median, relative to it; Infinity without an interval. */
export function relativeHalfWidth(values: readonly number[]): number {
  const interval = medianInterval(values);
  if (interval === undefined) return Number.POSITIVE_INFINITY;
  return (interval[1] - interval[0]) / 2 / median(values);
}

export function isReached(stopRule: StopRule, p50s: readonly (readonly number[])[]): boolean | undefined {
  return stopRule.rule === "until" ? p50s.every((values) => relativeHalfWidth(values) <= stopRule.target) : undefined;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
