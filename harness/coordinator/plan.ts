import type { Arm, Cell } from "./arm.ts";

/** What the calibration found about one cell of one arm. */
export interface Pace {
  readonly cell: Cell;
  readonly messagesPerSecond: number;
}

export interface ArmPace {
  readonly arm: Arm;
  readonly paces: readonly Pace[];
  /** Start, connect, stop: what a trial costs besides its cells, ms. */
  readonly overheadMs: number;
}

export interface PlannedCell {
  readonly cell: Cell;
  readonly messages: number;
  readonly warmupMessages: number;
  readonly warmupMs: number;
  readonly plannedMs: number;
}

export interface PlannedArm {
  readonly arm: Arm;
  readonly cells: readonly PlannedCell[];
  readonly plannedMs: number;
}

/** 2000 round trips give a trial 20 samples beyond its p99. */
const WANTED_ROUND_TRIPS = 2000;
const LONGEST_WINDOW_MS = 2000;
const STREAM_WINDOW_MS = 40;
/** A shorter stream is start and end only: the first message's way and the last one's. */
const LEAST_STREAM_WINDOW_MS = 20;
const LEAST_MESSAGES = 50;
const MOST_MESSAGES = 2_000_000;
/** Enough to see each size compiled by the optimizer, and a bound for slow mechanisms. */
const WARMUP_MESSAGES = 300;
const WARMUP_MS = 15;

/**
 * Fixes the counts of all cells before the first round, so that all trials of `trials` rounds fit into `budgetMs`.
 * Windows shrink, all by the same factor; trials are never dropped, for without six there is no interval.
 */
export function planArms(
  paces: readonly ArmPace[],
  trials: number,
  budgetMs: number,
  fixedMessages: number | undefined,
): readonly PlannedArm[] {
  const fixedMs = paces.reduce(
    (sum, arm) => sum + arm.overheadMs + arm.paces.reduce((warm, pace) => warm + warmUp(pace).ms, 0),
    0,
  );
  const wantedMs = paces.reduce(
    (sum, arm) => sum + arm.paces.reduce((total, pace) => total + wantedWindowMs(pace), 0),
    0,
  );
  const leftMs = budgetMs / trials - fixedMs;
  const factor = Math.max(0, leftMs / Math.max(wantedMs, 1));
  return paces.map(({ arm, paces: cells, overheadMs }) => {
    const planned = cells.map((pace) => planCell(pace, factor, fixedMessages));
    return { arm, cells: planned, plannedMs: overheadMs + planned.reduce((sum, cell) => sum + cell.plannedMs, 0) };
  });
}

function planCell(pace: Pace, factor: number, fixedMessages: number | undefined): PlannedCell {
  const perMs = pace.messagesPerSecond / 1000;
  const leastMs = pace.cell.benchmark.pattern === "one-way" ? LEAST_STREAM_WINDOW_MS : 0;
  const windowMs = Math.min(LONGEST_WINDOW_MS, Math.max(leastMs, factor * wantedWindowMs(pace)));
  const messages = fixedMessages ?? Math.min(MOST_MESSAGES, Math.max(LEAST_MESSAGES, Math.round(windowMs * perMs)));
  const warm = warmUp(pace);
  return {
    cell: pace.cell,
    messages,
    warmupMessages: warm.messages,
    warmupMs: WARMUP_MS,
    plannedMs: warm.ms + messages / perMs,
  };
}

function wantedWindowMs({ cell, messagesPerSecond }: Pace): number {
  if (cell.benchmark.pattern === "one-way") return STREAM_WINDOW_MS;
  return Math.min(LONGEST_WINDOW_MS, (WANTED_ROUND_TRIPS / messagesPerSecond) * 1000);
}

/** Ends when count and time are both reached, or at four times the time. */
function warmUp({ messagesPerSecond }: Pace): { readonly messages: number; readonly ms: number } {
  const byCountMs = (WARMUP_MESSAGES / messagesPerSecond) * 1000;
  return { messages: WARMUP_MESSAGES, ms: Math.min(4 * WARMUP_MS, Math.max(WARMUP_MS, byCountMs)) };
}
