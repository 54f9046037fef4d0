import type { Warning } from "../../harness/results/model.ts";
import type { GateCell } from "./cells.ts";
import type { Evidence, GateRule, Outcome } from "./verdict.ts";

/**
 * Outcome of a cell. `broken`: the head fails where the base works. `new` and `gone`: only the head, or only the base,
 * has it. `missing`: it did not run.
 */
export type RowOutcome = Outcome | "missing" | "broken" | "new" | "gone";

/** Result of one declared cell. */
export interface GateRow {
  readonly cell: GateCell;
  readonly outcome: RowOutcome;
  /** Reason why it did not run. */
  readonly reason?: string;
  readonly screen?: Evidence;
  /** Evidence of the second stage; absent where the screen settled it. */
  readonly confirm?: Evidence;
  /** Medians over the pairs that decided, ns. */
  readonly baseP50?: number;
  readonly headP50?: number;
  /** The same of the value of a command, in its own unit. */
  readonly baseValue?: number;
  readonly headValue?: number;
  readonly notes: readonly string[];
}

/** Files that the processes of both sides have loaded: relative to the tree they lie in, or absolute paths. */
export interface LoadedRecord {
  readonly base: readonly string[];
  readonly head: readonly string[];
  /** Files that the harness loaded for itself: the same ones on both sides. */
  readonly harness: readonly string[];
}

export interface GateResult {
  /** False when the gate was interrupted: the rows are partial. */
  readonly complete: boolean;
  readonly base: string;
  readonly seed: number;
  readonly rule: GateRule;
  readonly durationMs: number;
  readonly rows: readonly GateRow[];
  /** Absent where nothing was measured. */
  readonly loaded?: LoadedRecord;
  /** Warnings about the machine that weaken the verdict, each with what to do. */
  readonly warnings: readonly Warning[];
}

export const GATE_EXIT = { pass: 0, regression: 20, undecided: 21, missing: 22 } as const;

/** Returns the exit code. A cell that did not run outweighs everything: the gate is not the declared one then. */
export function exitCodeOf(rows: readonly GateRow[]): number {
  const isCompared = ({ outcome }: GateRow): boolean => outcome !== "new" && outcome !== "gone";
  if (!rows.some(isCompared) || rows.some(({ outcome }) => outcome === "missing")) return GATE_EXIT.missing;
  if (rows.some(({ outcome }) => outcome === "regression" || outcome === "broken")) return GATE_EXIT.regression;
  return rows.some(({ outcome }) => outcome === "undecided") ? GATE_EXIT.undecided : GATE_EXIT.pass;
}

export function verdictSentence(rows: readonly GateRow[]): string {
  const of = (...outcomes: readonly RowOutcome[]): number =>
    rows.filter(({ outcome }) => outcomes.includes(outcome)).length;
  switch (exitCodeOf(rows)) {
    case GATE_EXIT.pass:
      return `pass: none of ${rows.length - of("new", "gone")} cells is slower`;
    case GATE_EXIT.regression:
      return `regression: ${of("regression", "broken")} of ${rows.length} cells are slower than the base`;
    case GATE_EXIT.undecided:
      return (
        `cannot decide: ${of("undecided")} of ${rows.length} cells are too noisy to exclude a slowdown; ` +
        "use a quieter machine or more --pairs"
      );
    default:
      if (of("new", "gone") === rows.length) return "incomplete: base and head have no cell in common";
      return `incomplete: ${of("missing")} of ${rows.length} declared cells did not run`;
  }
}

/** Formats evidence: `1.07 (1.02 to 1.12), p = 0.004, 20 pairs`. */
export function evidenceWords({ p, effect, pairs }: Evidence): string {
  const interval = effect.interval?.map((bound) => bound.toFixed(3)).join(" to ") ?? "no interval";
  return `${effect.ratio.toFixed(3)} (${interval}), p = ${p.toPrecision(2)}, ${pairs} pairs`;
}
