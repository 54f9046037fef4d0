import { announcedTime, TOLERANCE } from "../coordinator/announced-time.ts";
import { type Arm, type Cell, cellsOf } from "../coordinator/arm.ts";
import { type Effort, guessTrialMs } from "../coordinator/plan.ts";
import type { Prediction } from "../coordinator/run-measurements.ts";
import { LEAST_FOR_INTERVAL, type StopRule } from "../coordinator/stop-rule.ts";
import { note } from "../process/note.ts";
import { UsageError } from "../results/exit-codes.ts";
import { count } from "../results/format.ts";
import type { MeasureOptions } from "./options.ts";

/** Rounds of an effort; `most` is for a machine that is faster than the guess. */
const ROUNDS: Readonly<Record<Effort, { readonly least: number; readonly most: number }>> = {
  quick: { least: 6, most: 24 },
  default: { least: 10, most: 40 },
  thorough: { least: 30, most: 120 },
};
/** Bounds of rounds with a budget: the time decides, and as many rounds as fit are run. */
const BUDGET_ROUNDS = { least: LEAST_FOR_INTERVAL, most: 1000 };
const UNTIL_MOST = 160;
const CONTROL_MS = 600;
/** Part of a budget kept for writing the report and ending. */
export const FINISH_MS = 800;
/** Smallest ratio of a machine's time to the guess. */
const FASTEST_FACTOR = 0.3;

export interface StopRuleDefaults {
  /** Time that the command promises by itself; without one it is computed from the cells. */
  readonly budgetMs?: number;
  readonly least?: number;
}

/** Decides how long to measure, and refuses what cannot be. @throws UsageError */
export function stopRuleOf(
  options: MeasureOptions,
  arms: readonly Arm[],
  cells: readonly Cell[],
  defaults: StopRuleDefaults = {},
): StopRule {
  const effort: Effort = options.quick ? "quick" : options.thorough ? "thorough" : "default";
  const budget = options.budget;
  const roundMs = guessRoundMs(arms, cells, effort);
  const fewest = options.trials ?? LEAST_FOR_INTERVAL;
  if (budget !== undefined) refuseImpossible(budget, arms, fewest, guessRoundMs(arms, cells, "quick"));
  const within = budget === undefined ? {} : { budgetMs: budget - FINISH_MS };
  if (options.until !== undefined) {
    return { rule: "until", effort, target: options.until, most: UNTIL_MOST, ...within };
  }
  const promised = within.budgetMs ?? defaults.budgetMs;
  if (options.trials !== undefined) {
    const time = promised === undefined ? {} : { budgetMs: promised };
    return { rule: "fixed", effort, trials: options.trials, ...time, strict: budget !== undefined };
  }
  if (budget !== undefined)
    return { rule: "budget", effort, ...BUDGET_ROUNDS, budgetMs: budget - FINISH_MS, strict: true };
  const { least, most } = ROUNDS[effort];
  const rounds = { least: effort === "default" ? (defaults.least ?? least) : least, most };
  const budgetMs = defaults.budgetMs ?? (rounds.least + 1) * roundMs;
  return { rule: "budget", effort, ...rounds, budgetMs, strict: false };
}

function guessRoundMs(arms: readonly Arm[], cells: readonly Cell[], effort: Effort): number {
  const placements = new Set(arms.map(({ placement }) => placement)).size;
  const trialsMs = arms.reduce((sum, arm) => sum + guessTrialMs(cellsOf(arm, cells), effort), 0);
  return trialsMs + placements * CONTROL_MS;
}

/** Refuses budgets that are impossible by a guess in favour of the user. The calibration judges the others again. */
function refuseImpossible(budgetMs: number, arms: readonly Arm[], rounds: number, roundMs: number): void {
  const wholeMs = (rounds + 1) * roundMs;
  if (arms.length > 0 && budgetMs < wholeMs * FASTEST_FACTOR) throw tooShort(budgetMs, wholeMs, rounds, arms);
}

function tooShort(budgetMs: number, neededMs: number, rounds: number, arms: readonly Arm[]): UsageError {
  const needed = Math.ceil(neededMs / 1000);
  // Only claims choose the cells of each arm.
  const fewer = arms.some(({ only }) => only) ? "--claims" : "--transport, --placement, --mode or --payload";
  return new UsageError(
    `${count(rounds, "round")} ${rounds === 1 ? "makes" : "make"} this run about ${needed} s long; ` +
      `--budget is ${budgetMs / 1000} s: give --budget ${needed}s, or fewer ${fewer}`,
  );
}

/**
 * Announces the time of the run before anything starts.
 *
 * @returns that time, ms from the start of the process on; undefined where it is known after the calibration only
 */
export function announce(
  stopRule: StopRule,
  arms: readonly Arm[],
  cells: readonly Cell[],
  seed: number,
): number | undefined {
  const each = Math.max(0, ...arms.map((arm) => cellsOf(arm, cells).length));
  const what = `${count(arms.length, "arm")} of ${count(each, "cell")}`;
  const seconds = (ms: number): string => `about ${Math.ceil(ms / 1000)} s`;
  const roundMs = guessRoundMs(arms, cells, stopRule.effort);
  const until = (ms: number | undefined): number | undefined => (ms === undefined ? ms : performance.now() + ms);
  switch (stopRule.rule) {
    case "fixed": {
      const time =
        stopRule.budgetMs === undefined ? "the time is known after the calibration" : seconds(stopRule.budgetMs);
      note(`${what}, ${stopRule.trials} trials each: ${time}; seed ${seed}`);
      return until(stopRule.budgetMs);
    }
    case "budget":
      note(`${what}, at least ${stopRule.least} trials each: ${seconds(stopRule.budgetMs)}; seed ${seed}`);
      return until(stopRule.budgetMs);
    case "until": {
      const most = stopRule.budgetMs ?? (stopRule.most + 1) * roundMs;
      const least = Math.min(most, 11 * roundMs);
      note(
        `${what}, until every p50 interval is within ±${stopRule.target * 100} %: ` +
          `from ${seconds(least)} to at most ${seconds(most)}; seed ${seed}`,
      );
      return undefined;
    }
  }
}

/** Smallest share of the whole time that must be left for another announcement. */
const LATE_SHARE = 0.25;

export interface Announcement {
  readonly stopRule: StopRule;
  readonly arms: readonly Arm[];
  /** Time of the whole command that was asked for. */
  readonly budgetMs: number | undefined;
  /** Time of the whole command that was announced. */
  readonly announcedMs: number | undefined;
  /** Time of what comes after the trials. */
  readonly laterMs: number;
}

/**
 * Announces the time anew where it differs from the one announced last. Called after the calibration and after each
 * round.
 *
 * @throws UsageError after the calibration, when a time that was asked for cannot hold the rounds
 */
export function announcePlan({
  stopRule,
  arms,
  budgetMs,
  announcedMs,
  laterMs,
}: Announcement): (plan: Prediction) => void {
  const isNews = announcedTime(announcedMs);
  return ({ done, left, leftMs }) => {
    const wholeMs = (rounds: number): number => performance.now() + (rounds * leftMs) / left + laterMs;
    if (budgetMs !== undefined) {
      const rounds = stopRule.rule === "until" ? LEAST_FOR_INTERVAL : left;
      const neededMs = wholeMs(rounds);
      if (done === 0 && neededMs > budgetMs * (1 + TOLERANCE)) throw tooShort(budgetMs, neededMs, rounds, arms);
      return;
    }
    // Near the end another announcement is useless.
    const isEarly = done === 0 || leftMs > LATE_SHARE * wholeMs(left);
    if (stopRule.rule === "until" || !isEarly || !isNews(wholeMs(left))) return;
    const when = done === 0 ? "calibrated" : `after ${count(done, "round")}`;
    note(`${when}: ${count(left, "round")} to go, about ${Math.ceil((leftMs + laterMs) / 1000)} s`);
  };
}
