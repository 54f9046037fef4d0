import { visible } from "../../harness/results/format.ts";
import { defectFinder } from "../../harness/results/schema.ts";
import { StoreError } from "../../harness/results/store.ts";
import { nameOf } from "./cells.ts";
import { GATE } from "./gate-shape.ts";
import type { GateResult, GateRow } from "./result.ts";

/** Largest sum of the squares of the pairs of each row: more would keep a reader waiting, and no gate has so many. */
const MOST_WORK = 5e7;
/** Largest number of looks: each is simulated, and no budget allows as many. */
const MOST_LOOKS = 100_000;

/** Returns true for a value that is meant as `gate.json`, whole or not. No report has these fields. */
export function isGate(value: unknown): boolean {
  return typeof value === "object" && value !== null && "rule" in value && "rows" in value;
}

let defectOf: ((value: unknown) => string | undefined) | undefined;

/**
 * Examines every field of a stored gate, and makes what a terminal could obey visible in all its texts. Other fields
 * are accepted, since they may be added.
 *
 * @param expected end of a sentence: what to name instead
 * @throws StoreError
 */
export function gateIn(value: unknown, path: string, expected: string): GateResult {
  defectOf ??= defectFinder(GATE, "the gate");
  const defect = defectOf(value) ?? sizeDefect(value as GateResult);
  if (defect !== undefined) throw new StoreError(`"${path}" is no record of a gate (${defect}); ${expected}`);
  return withInterrupted(shown(value) as GateResult);
}

/** Reason by which records of version 0.1.0 and older tell rows without a verdict from those that did not run. */
const INTERRUPTED = "the run was interrupted";

/** Gives the rows of an older record that was interrupted their outcome. */
function withInterrupted(gate: GateResult): GateResult {
  if (gate.complete) return gate;
  const rows = gate.rows.map(({ reason, ...row }): GateRow => {
    const isOpen = row.outcome === "missing" && reason === INTERRUPTED;
    return isOpen ? { ...row, outcome: "interrupted" } : { ...row, ...(reason === undefined ? {} : { reason }) };
  });
  return { ...gate, rows };
}

function sizeDefect({ rows, pairs, looks }: GateResult): string | undefined {
  if (looks !== undefined && looks.most / looks.step > MOST_LOOKS)
    return "/looks: too many looks to be worked out again";
  const perCell = new Map(pairs.map((each) => [nameOf(each.cell), each.pairs.length]));
  const work = rows.reduce((sum, row) => sum + (perCell.get(nameOf(row.cell)) ?? 0) ** 2, 0);
  return work <= MOST_WORK ? undefined : "/rows: too many rows with too many pairs to be worked out again";
}

function shown(value: unknown): unknown {
  if (typeof value === "string") return visible(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shown(part)]));
}
