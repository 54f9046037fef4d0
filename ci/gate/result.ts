import type { PairOutcome } from "../../harness/coordinator/pairs.ts";
import type { Environment, Interval, Warning } from "../../harness/results/model.ts";
import { type CommandCell, type GateCell, nameOf, type TransportCell } from "./cells.ts";
import type { Metric } from "./metrics.ts";
import type { Evidence, GateRule, Limits, Outcome } from "./verdict.ts";

/**
 * Result of a cell: `broken`, the head fails or loses messages where the base does not; `untold`, this machine or run
 * cannot tell this metric; `new` and `gone`, one side has no such transport; `interrupted`, a signal ended the gate
 * before its verdict.
 */
export type RowOutcome = Outcome | "missing" | "broken" | "untold" | "new" | "gone" | "interrupted";

/** Result of one metric of one declared cell. */
export interface GateRow {
  readonly cell: GateCell;
  /** Metric of a transport, or `value` for a value of a command, which is in a unit of its own. */
  readonly metric: Metric | "value";
  readonly outcome: RowOutcome;
  /** Reason why there is no verdict. */
  readonly reason?: string;
  readonly limits?: Limits;
  /** True for a p99 that nobody asked for: without a verdict it changes no exit code. */
  readonly isExtra?: boolean;
  readonly evidence?: Evidence;
  /** Medians over the pairs, ns; of throughput, ns per message; of a command, in its unit. */
  readonly base?: number;
  readonly head?: number;
  /** Slowdown that all pairs of the budget find with 80 % power, such as 0.08. */
  readonly detectable?: number;
  /** Number of further pairs that would probably decide. */
  readonly needed?: number;
  /** Acknowledgement of a regression that holds today. */
  readonly accepted?: { readonly until: string; readonly reason: string };
  readonly notes: readonly string[];
}

/**
 * Largest cost of a cell: in ns on this machine, or as a multiple of another transport or of plain C (`of` is `C`) in
 * the same rounds. Of a value that a command prints: in the unit that was written, or as a multiple of another value.
 */
export type Most =
  | { readonly ns: number }
  | { readonly amount: number; readonly unit?: string }
  | { readonly factor: number; readonly of: string };

/** Result of a budget on one cell; `untold`: it cannot be judged here, and the gate is not the declared one. */
export type BudgetRow = {
  readonly cell: TransportCell | CommandCell;
  readonly metric: Metric | "value";
  /** As it was written, such as `1.2 x unix`. */
  readonly atMost: string;
  /** True for a time or an amount: it holds for this machine only. */
  readonly isAbsolute: boolean;
  /** The same as numbers. */
  readonly most: Most;
} & (
  | {
      readonly outcome: "kept" | "broken" | "undecided";
      /** Cost in ns, or ratio; of a command, in its unit. */
      readonly found: number;
      /** 95 % interval; absent with fewer than 6 pairs. */
      readonly interval?: Interval;
    }
  | { readonly outcome: "untold"; readonly reason: string }
);

/** One pair of trials of a cell, as it was measured. */
export type PairRecord = { readonly round: number } & PairOutcome;

/** One pair of runs of a command, as it was printed. */
export interface ValuePair {
  readonly round: number;
  readonly base: number;
  readonly head: number;
  readonly headFirst: boolean;
}

/** All pairs of one cell of transports. */
export interface MeasuredCell {
  readonly cell: TransportCell;
  readonly pairs: readonly PairRecord[];
}

/** All pairs of one value of a command. */
export interface PrintedValue {
  readonly cell: CommandCell;
  readonly pairs: readonly ValuePair[];
}

export function isMeasured(cell: MeasuredCell | PrintedValue): cell is MeasuredCell {
  return "transport" in cell.cell;
}

/** Files that the processes of both sides have loaded: relative to the tree they lie in, or absolute paths. */
export interface LoadedRecord {
  readonly base: readonly string[];
  readonly head: readonly string[];
  /** Files that the harness loaded for itself: the same ones on both sides. */
  readonly harness: readonly string[];
}

/** Levels and sizes that all rows share: with the pairs, each verdict follows from them again. */
export interface RecordedLooks {
  /** Error level of one cell and metric: that of the rule, divided by their number. */
  readonly alpha: number;
  /** Number of pairs between two looks. */
  readonly step: number;
  /** Number of pairs that the budget allowed a cell in all. */
  readonly most: number;
}

/** Figures of plain C in one round, ns. */
export interface CRound {
  readonly round: number;
  readonly p50: number;
  readonly p99: number | null;
  readonly messageNs: number;
}

/** Rounds of each cell of plain C, whose transport is such as `c/unix`; or the reason why there are none. */
export type CRecord = { readonly cells: readonly CCellRecord[] } | { readonly reason: string };

interface CCellRecord {
  readonly cell: TransportCell;
  readonly rounds: readonly CRound[];
  /** Reason why there are no further rounds. */
  readonly failed?: string;
}

export interface GateResult {
  /** False when the gate was interrupted: the rows are partial. */
  readonly complete: boolean;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly base: string;
  /** Commits of both sides; null where a side is no commit. */
  readonly commits: { readonly base: string | null; readonly head: string | null };
  /** True where the head has changes that are not committed. */
  readonly dirty: boolean;
  readonly environment: Environment;
  readonly seed: number;
  readonly rule: GateRule;
  readonly durationMs: number;
  readonly rows: readonly GateRow[];
  readonly budgets: readonly BudgetRow[];
  /** All pairs of each cell, the invalid ones with their reason. */
  readonly pairs: readonly (MeasuredCell | PrintedValue)[];
  /** Reason why the base could not be prepared, so that no cell ran. */
  readonly baseFailure?: string;
  /** Absent where nothing was measured. */
  readonly looks?: RecordedLooks;
  /** Plain C in the same rounds; absent where no budget is a multiple of it. */
  readonly cBaseline?: CRecord;
  /** Time of one further pair of the cells that are undecided, ms. */
  readonly pairMs?: number;
  /** Time of one pair of all cells, ms; absent where no transport was measured. */
  readonly roundMs?: number;
  /** True where a cell that only one side has is red. */
  readonly strict: boolean;
  /** Absent where nothing was measured. */
  readonly loaded?: LoadedRecord;
  /** Warnings about the machine that weaken the verdict, each with what to do. */
  readonly warnings: readonly Warning[];
}

export const GATE_EXIT = { pass: 0, regression: 20, undecided: 21, missing: 22 } as const;

/** Rows and budgets, or the failure of the base, from which the verdict follows. */
export type Judgement = Pick<GateResult, "rows" | "budgets" | "pairMs" | "strict" | "baseFailure">;

/**
 * Returns the exit code. A cell that did not run, or a budget that cannot be judged, outweighs everything: the gate is
 * not the declared one then.
 */
export function exitCodeOf({ rows, budgets, strict }: Judgement): number {
  if (rows.length === 0 || rows.some(isMissing)) return GATE_EXIT.missing;
  if (budgets.some((row) => isUnjudged(row, rows))) return GATE_EXIT.missing;
  if (rows.some((row) => isRed(row, strict)) || budgets.some(({ outcome }) => outcome === "broken"))
    return GATE_EXIT.regression;
  if (rows.some(isUndecided) || budgets.some(({ outcome }) => outcome === "undecided")) return GATE_EXIT.undecided;
  // Cells that only one side has exclude nothing.
  return rows.every(({ outcome }) => outcome === "new" || outcome === "gone") ? GATE_EXIT.missing : GATE_EXIT.pass;
}

/** True for a budget that cannot be judged, unless the head is broken in its cell, which is red. */
export function isUnjudged({ cell, outcome }: BudgetRow, rows: readonly GateRow[]): boolean {
  const isBroken = (row: GateRow): boolean => row.outcome === "broken" && nameOf(row.cell) === nameOf(cell);
  return outcome === "untold" && !rows.some(isBroken);
}

export function isRed({ outcome, accepted }: GateRow, isStrict: boolean): boolean {
  if (outcome === "regression") return accepted === undefined;
  return outcome === "broken" || (isStrict && (outcome === "new" || outcome === "gone"));
}

export function isMissing({ outcome }: GateRow): boolean {
  return outcome === "missing" || outcome === "interrupted";
}

export function isUndecided({ outcome, isExtra }: GateRow): boolean {
  return outcome === "undecided" || (outcome === "untold" && isExtra !== true);
}
