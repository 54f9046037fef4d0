import type { CellPlan } from "../process/messages.ts";
import { median } from "../results/quantiles.ts";
import { problemOf } from "./figures.ts";
import { closedStep } from "./first-step.ts";
import type { PreparedModel, Window } from "./models/model.ts";

/** Length of a window: long enough to notice that a mechanism falls behind, since the delay accumulates. */
const WINDOW_S = 0.2;
/** Time for an overloaded mechanism to finish the messages that it got. */
const DRAIN_S = 1;
const LEAST_MESSAGES = 16;
/** Largest growth of latencies, as a share of the window, with which the mechanism still keeps the rate. */
const BEHIND_SHARE = 0.05;
/** Attempts at the requested rate, since the machine may have stalled in one window. */
const CHANCES = 3;
const MOST_TRIES = 6;
/** Precision: the search ends when the lowest missed rate is at most the highest kept one times this factor. */
const NEAR_FACTOR = 1.15;
/** Next rate after a missed one, as a share of the rate of replies, which is about the maximum of the mechanism. */
const BELOW_FACTOR = 0.9;
const ABOVE_FACTOR = 1.15;

export interface RateAttempt {
  readonly isKept: boolean;
  /** Replies per second. */
  readonly achieved: number;
}

/**
 * Finds the highest rate up to `asked` that the mechanism keeps, in few attempts.
 *
 * @returns `asked`, or about the highest rate kept (two digits, rounded down); 0 if none was kept
 */
export async function highestKept(
  asked: number,
  attempt: (ratePerSecond: number) => Promise<RateAttempt>,
): Promise<number> {
  let found = await attempt(asked);
  for (let chance = 1; chance < CHANCES && !found.isKept; chance++) found = await attempt(asked);
  if (found.isKept) return asked;
  let low = 0;
  let high = Math.min(asked, ABOVE_FACTOR * found.achieved);
  for (let tries = 0; tries < MOST_TRIES && high > NEAR_FACTOR * low; tries++) {
    const rate =
      low > 0 ? Math.sqrt(low * high) : Math.min(BELOW_FACTOR * found.achieved, high / (tries === 0 ? 1 : 2));
    found = await attempt(rate);
    if (found.isKept) low = rate;
    else high = rate;
  }
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, low))) - 1);
  return Math.floor(low / digit) * digit;
}

/** Result of a calibration at a rate. */
export interface RateFound {
  /** Window at the requested rate. */
  readonly window: Window;
  /** Highest rate that was kept; null: the requested one. */
  readonly keptPerSecond: number | null;
  /** Reason why the window does not count, if so. */
  readonly problem: string | undefined;
}

/** Checks if the rate of a cell is kept; if not, finds the highest rate that is. */
export async function calibrateRate(
  { ratePerSecond, clients, payloadBytes }: CellPlan & { readonly ratePerSecond: number },
  windowAt: NonNullable<PreparedModel["windowAt"]>,
  delivery: "reliable" | "lossy",
): Promise<RateFound> {
  const closed = await windowAt(closedStep(clients, payloadBytes), null);
  const problem = problemOf(closed, delivery);
  if (problem !== undefined) return { window: closed, keptPerSecond: null, problem };
  const most = DRAIN_S * achievedBy(closed);
  let asked: Window | undefined;
  let broken: RateFound | undefined;
  const kept = await highestKept(ratePerSecond, async (rate) => {
    const least = Math.max(4 * clients, LEAST_MESSAGES);
    const count = Math.max(Math.min(WINDOW_S * rate, most), Math.min(least, Math.max(WINDOW_S * most, 2 * clients)));
    const window = await windowAt(Math.ceil(count), rate);
    asked ??= window;
    const found = problemOf(window, delivery);
    // A loss or damage is a fault at any rate.
    if (found !== undefined && window.messages === 0) broken ??= { window, keptPerSecond: null, problem: found };
    return { isKept: found === undefined && isFollowed(window, rate), achieved: achievedBy(window) };
  });
  if (broken !== undefined) return broken;
  const keptPerSecond = kept >= ratePerSecond ? null : kept;
  return {
    window: { ...(asked as Window), ...refusalOf(asked as Window, keptPerSecond) },
    keptPerSecond,
    problem: undefined,
  };
}

function refusalOf({ refused }: Window, keptPerSecond: number | null): { readonly refused?: string } {
  if (refused === undefined || keptPerSecond === null) return {};
  return { refused: keptPerSecond > 0 ? `${refused} (it kept ${keptPerSecond}/s)` : refused };
}

function achievedBy({ messages, elapsedNs }: Window): number {
  return (1e9 * messages) / Math.max(1, elapsedNs);
}

/** True if the driver kept its schedule and the newest replies were about as fast as the first ones. */
export function isFollowed({ samples, refused, messages }: Window, ratePerSecond: number): boolean {
  if (refused !== undefined || samples === null || messages === 0) return false;
  const tenth = Math.ceil(samples.length / 10);
  const growthNs = median([...samples.slice(-tenth)]) - median([...samples.slice(0, tenth)]);
  return growthNs <= (BEHIND_SHARE * 1e9 * messages) / ratePerSecond;
}
