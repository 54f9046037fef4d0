/** Slow drift in a history of the gate: many small steps, none of which a gate sees. */
import { EXIT } from "../../harness/results/exit-codes.ts";
import { count, percent } from "../../harness/results/format.ts";
import { median } from "../../harness/results/quantiles.ts";
import { changePoints, LEAST_SEGMENT } from "./change-points.ts";
import type { HistoryEntry } from "./history.ts";

/** Default of the growth that is still accepted: half of what one gate excludes. */
export const DRIFT_TOLERANCE = 0.1;
/** Error level of one command, shared among the series. */
const LEVEL = 0.01;
/** Most entries of a series that are examined: its latest ones. */
const MOST_ENTRIES = 500;

/** Step of the level of one series. */
export interface DriftStep {
  /** Index of the first entry behind it. */
  readonly at: number;
  /** First entry behind it. */
  readonly commit: string | null;
  readonly date: string;
  /** Level behind it relative to that before: 1.04 is 4 % worse. */
  readonly ratio: number;
}

/** Result of one cell on one machine. */
export interface DriftRow {
  readonly cell: string;
  readonly machine: string;
  readonly entries: number;
  /** `control`: the ratio to the frozen echo; `value`: the value itself. */
  readonly level: "control" | "value";
  readonly outcome: "steady" | "drift" | "too-few";
  /** Latest level relative to the best one before it; absent where there are too few entries. */
  readonly ratio?: number;
  readonly steps: readonly DriftStep[];
  /** Level of each entry relative to the best one, of their medians between two steps: 1.04 is 4 % worse. */
  readonly levels: readonly number[];
  /** Days of the first and the last entry. */
  readonly dates: readonly [first: string, last: string];
}

/** Examines each cell of each machine by itself. */
export function driftsIn(entries: readonly HistoryEntry[], tolerance: number, random: () => number): DriftRow[] {
  const series = [...Map.groupBy(entries, ({ cell, machine }) => JSON.stringify([cell, machine])).values()];
  return series.map((each) => driftOf(each.slice(-MOST_ENTRIES), tolerance, LEVEL / series.length, random));
}

function driftOf(entries: readonly HistoryEntry[], tolerance: number, level: number, random: () => number): DriftRow {
  const { cell, machine } = entries[0] as HistoryEntry;
  const isControlled = entries.every(({ controlNs, unit }) => controlNs !== null && isOfTime(unit));
  const levels = entries.map((entry) => levelOf(entry, isControlled));
  const dates = [dayOf(entries[0]), dayOf(entries.at(-1))] as const;
  const about = { cell, machine, entries: entries.length, level: isControlled ? "control" : "value", dates } as const;
  const relativeTo = (best: number): number[] => levels.map((level) => Math.exp(level - best));
  if (entries.length < 2 * LEAST_SEGMENT)
    return { ...about, outcome: "too-few", steps: [], levels: relativeTo(median(levels)) };
  const starts = [0, ...changePoints(levels, level, random)];
  const segments = starts.map((from, index) => median(levels.slice(from, starts[index + 1])));
  const steps = starts.slice(1).map((from, index): DriftStep => {
    const { commit, date } = entries[from] as HistoryEntry;
    return { at: from, commit, date, ratio: Math.exp((segments[index + 1] as number) - (segments[index] as number)) };
  });
  const best = Math.min(...segments);
  const ratio = Math.exp((segments.at(-1) as number) - best);
  return { ...about, outcome: ratio >= 1 + tolerance ? "drift" : "steady", ratio, steps, levels: relativeTo(best) };
}

function dayOf(entry: HistoryEntry | undefined): string {
  return entry?.date.slice(0, 10) ?? "";
}

/** Returns the logarithm of a level that is higher where it is worse. */
function levelOf({ value, lower, controlNs }: HistoryEntry, isControlled: boolean): number {
  const worse = lower ? Math.log(value) : -Math.log(value);
  return isControlled ? worse - Math.log(controlNs as number) : worse;
}

/** True for times and rates, which a faster machine changes; bytes and counts it does not. */
function isOfTime(unit: string | null): boolean {
  return unit !== null && /^(ns|us|µs|ms|s|min)$|\/(s|sec|second)$/i.test(unit);
}

/** Returns 20 with a drift, 21 where no series is long enough to be examined, and 0 otherwise. */
export function driftExitCode(rows: readonly DriftRow[]): number {
  if (rows.some(({ outcome }) => outcome === "drift")) return EXIT.regression;
  return rows.every(({ outcome }) => outcome === "too-few") ? EXIT.inconclusive : EXIT.ok;
}

const WORDS: Readonly<Record<DriftRow["outcome"], string>> = {
  drift: "DRIFT",
  steady: "steady",
  "too-few": "cannot decide",
};

/** Formats a row: `DRIFT  +21.4 % above its best, 10 % accepted; +8.1 % at 3f2a9c1 (2026-03-01); 48 runs`. */
export function driftWords({ outcome, ratio, entries, steps, level }: DriftRow, tolerance: number): string {
  const runs = count(entries, "run");
  if (ratio === undefined) return `${WORDS[outcome]}  ${runs}, and ${2 * LEAST_SEGMENT} are needed`;
  const found = `${signed(ratio)} above its best, ${percent(tolerance)} accepted`;
  const compared = level === "control" ? "relative to the frozen echo" : "without the frozen echo";
  return `${WORDS[outcome].padEnd(6)}  ${[found, ...steps.map(stepWords), `${runs}, ${compared}`].join("; ")}`;
}

/** Formats a step: `+8.1 % at 3f2a9c1 (2026-03-01)`. */
export function stepWords({ ratio, commit, date }: DriftStep): string {
  return `${signed(ratio)} at ${commit?.slice(0, 7) ?? "an unknown commit"} (${date.slice(0, 10)})`;
}

function signed(ratio: number): string {
  return `${ratio < 1 ? "" : "+"}${((ratio - 1) * 100).toFixed(1)} %`;
}
