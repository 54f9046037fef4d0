import { type Arm, type Cell, cellsOf } from "../coordinator/arm.ts";
import { LEAST_FOR_INTERVAL, type Length } from "../coordinator/length.ts";
import type { Prediction } from "../coordinator/measure.ts";
import { type Effort, guessTrialMs } from "../coordinator/plan.ts";
import { UsageError } from "./exit-codes.ts";
import type { MeasureOptions } from "./options.ts";
import { note } from "./output.ts";

/** Rounds of an effort; the most there may be when the machine is faster than thought. */
const ROUNDS: Readonly<Record<Effort, { readonly least: number; readonly most: number }>> = {
  quick: { least: 6, most: 24 },
  default: { least: 10, most: 40 },
  thorough: { least: 30, most: 120 },
};
/** With a budget the time decides, and the rounds are what fits. */
const BUDGET_ROUNDS = { least: LEAST_FOR_INTERVAL, most: 1000 };
const UNTIL_MOST = 160;
const CONTROL_MS = 600;
/** Of a time that was asked for: writing the report and ending. */
export const FINISH_MS = 800;
/** A machine may be so much faster than the guess. */
const OPTIMISM = 0.3;

export interface LengthDefaults {
  /** What the command promises on its own; computed from the cells where it promises nothing. */
  readonly budgetMs?: number;
  readonly least?: number;
}

/** Decides how long to measure, and refuses what cannot be. @throws UsageError */
export function lengthOf(
  options: MeasureOptions,
  arms: readonly Arm[],
  cells: readonly Cell[],
  defaults: LengthDefaults = {},
): Length {
  const effort: Effort = options.quick ? "quick" : options.thorough ? "thorough" : "default";
  const budget = options.budget;
  const roundMs = guessRoundMs(arms, cells, effort);
  if (budget !== undefined) refuseImpossible(budget, arms.length, guessRoundMs(arms, cells, "quick"));
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

/** By a guess that favours the user: what passes here is judged again after the calibration. */
function refuseImpossible(budgetMs: number, arms: number, roundMs: number): void {
  const wholeMs = (LEAST_FOR_INTERVAL + 1) * roundMs;
  if (arms === 0 || budgetMs >= wholeMs * OPTIMISM) return;
  throw new UsageError(
    `--budget ${budgetMs / 1000}s cannot hold a calibration and ${LEAST_FOR_INTERVAL} rounds of ${arms} arms, which take about ${Math.ceil(wholeMs / 1000)} s; give it that, or fewer --transport, --placement, --mode or --payload`,
  );
}

/** Says before anything starts how long it will take. */
export function announce(length: Length, arms: readonly Arm[], cells: readonly Cell[], seed: number): void {
  const each = Math.max(0, ...arms.map((arm) => cellsOf(arm, cells).length));
  const what = `${arms.length} arms of ${each} cells`;
  const seconds = (ms: number): string => `about ${Math.ceil(ms / 1000)} s`;
  const roundMs = guessRoundMs(arms, cells, length.effort);
  switch (length.rule) {
    case "fixed": {
      const time = length.budgetMs === undefined ? "calibrating first" : seconds(length.budgetMs);
      return note(`${what}, ${length.trials} trials each: ${time}; seed ${seed}`);
    }
    case "budget":
      return note(`${what}, ${length.least} trials each or more: ${seconds(length.budgetMs)}; seed ${seed}`);
    case "until": {
      const most = length.budgetMs ?? (length.most + 1) * roundMs;
      const least = Math.min(most, 11 * roundMs);
      return note(
        `${what}, until every p50 interval is within ±${length.target * 100} %: from ${seconds(least)} to at most ${seconds(most)}; seed ${seed}`,
      );
    }
  }
}

/** A prediction that is so much off is worth saying, and a promise that would be broken by so much is not begun. */
const WORTH_SAYING = 1.15;
const HOPELESS = 1.15;

/**
 * After the calibration: says how long it will really take where nothing was promised before, or less than it takes.
 *
 * @param saidMs what was said for this part, where that is more than the budget
 * @throws UsageError when a time that was asked for cannot hold the rounds
 */
export function announcePlan(
  length: Length,
  saidMs: number = length.budgetMs ?? Number.POSITIVE_INFINITY,
): (plan: Prediction) => void {
  return ({ rounds, leftMs, wholeMs }) => {
    const seconds = (ms: number): number => Math.ceil(ms / 1000);
    if (length.rule === "fixed" && length.budgetMs === undefined) {
      note(`calibrated: ${rounds} rounds, about ${seconds(leftMs)} s`);
    }
    if (length.budgetMs === undefined || length.rule === "until") return;
    if (!length.strict) {
      if (wholeMs <= WORTH_SAYING * saidMs) return;
      return note(`calibrated: here ${rounds} rounds take about ${seconds(leftMs)} s more, longer than was said above`);
    }
    if (wholeMs > HOPELESS * length.budgetMs) {
      throw new UsageError(
        `${rounds} rounds, the fewest that are planned, take about ${seconds(wholeMs)} s on this machine, calibration included, of which ${seconds(length.budgetMs)} s are left of the time given; ` +
          "give a longer --budget, or fewer --transport, --placement, --mode, --benchmark or --payload",
      );
    }
  };
}
