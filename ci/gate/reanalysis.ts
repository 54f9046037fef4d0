/** Verdict of a stored gate, worked out once more from its pairs by the rule of today. */
import { judgeBudget } from "./budgets.ts";
import { nameOf, rowName } from "./cells.ts";
import { costsOf, differencesOf, invalidOf, judgedRow, outcomeOfInvalid } from "./judged-row.ts";
import {
  type BudgetRow,
  type GateResult,
  type GateRow,
  isMeasured,
  type Judgement,
  type RecordedLooks,
} from "./result.ts";
import { evidenceOf } from "./verdict.ts";
import { OUTCOME_WORDS, verdictSentence } from "./words.ts";

export interface Reanalysis extends Judgement {
  /** Sentences on what the pairs give and the file has otherwise; empty where they agree. */
  readonly differences: readonly string[];
  /** Reason why the rows are the stored ones. */
  readonly obstacle?: string;
}

/** Pairs of one cell: those of transports, or the values of a command. */
type CellPairs = GateResult["pairs"][number];

/** Largest relative difference of a figure that is rounding. */
const ROUNDING = 1e-9;

export function reanalysed(result: GateResult): Reanalysis {
  const { looks, pairs, strict, pairMs, baseFailure } = result;
  const stored = {
    ...{ rows: result.rows, budgets: result.budgets, strict },
    ...(pairMs === undefined ? {} : { pairMs }),
    ...(baseFailure === undefined ? {} : { baseFailure }),
  };
  if (looks === undefined) {
    if (pairs.every((cell) => cell.pairs.length === 0)) return { ...stored, differences: [] };
    const obstacle = 'the file has no "looks", without which none follows from its pairs';
    return { ...stored, differences: [], obstacle };
  }
  const byName = new Map(pairs.map((each) => [nameOf(each.cell), each]));
  const rows = result.rows.map((row) => rowAgain(row, byName.get(nameOf(row.cell)), looks));
  const budgets = result.budgets.map((row) => budgetAgain(row, result));
  const found = { ...stored, rows, budgets };
  return { ...found, differences: differencesBetween(stored, found, result.complete) };
}

/** Makes a row from its pairs. One without a verdict has nothing to be made from, besides the failures of its cell. */
function rowAgain(row: GateRow, cell: CellPairs | undefined, looks: RecordedLooks): GateRow {
  const { accepted, evidence, limits, notes } = row;
  if (cell === undefined) return evidence === undefined ? row : withoutPairs(row, "the record has no pairs of it");
  const ended = isMeasured(cell) ? outcomeOfInvalid(cell.pairs) : undefined;
  if (ended !== undefined && isMeasured(cell)) {
    const reason = row.reason ?? invalidOf(cell.pairs)[0]?.reason ?? "its pairs are invalid";
    return { cell: row.cell, metric: row.metric, outcome: ended, reason, notes };
  }
  if (evidence === undefined || limits === undefined) return row;
  const costs = isMeasured(cell) ? costsOf(cell.pairs, row.metric === "value" ? "p50" : row.metric) : cell.pairs;
  if (evidence.pairs > costs.length) {
    return withoutPairs(row, `its verdict is of ${evidence.pairs} pairs, and the record has ${costs.length}`);
  }
  const start = {
    ...{ cell: row.cell, metric: row.metric, limits, notes },
    ...(row.isExtra ? { isExtra: true } : {}),
    ...(row.reason === undefined ? {} : { reason: row.reason }),
  };
  // So many pairs take at least so many looks; with fewer, the pairs would prove more than they do.
  const taken = Math.max(evidence.looks, Math.ceil(evidence.pairs / looks.step));
  const again = evidenceOf(differencesOf(costs.slice(0, evidence.pairs), row.cell), taken);
  const made = judgedRow(start, { evidence: again, state: "open", costs }, looks);
  return accepted !== undefined && made.outcome === "regression" ? { ...made, accepted } : made;
}

function withoutPairs({ cell, metric, notes }: GateRow, reason: string): GateRow {
  return { cell, metric, outcome: "missing", reason, notes };
}

function budgetAgain(row: BudgetRow, result: GateResult): BudgetRow {
  const { cell, metric, atMost, isAbsolute, most } = row;
  return { cell, metric, atMost, isAbsolute, most, ...judgeBudget(row, result) };
}

function differencesBetween(stored: Judgement, found: Judgement, isComplete: boolean): string[] {
  const rows = stored.rows.flatMap((row, at) => differenceOf(row, found.rows[at] as GateRow));
  const budgets = stored.budgets.flatMap((row, at) => {
    const again = found.budgets[at]?.outcome;
    return again === row.outcome
      ? []
      : [`budget of ${rowName(row)}, ${row.atMost}: stored as ${row.outcome}, its pairs give ${again}`];
  });
  const [before, after] = [verdictSentence(stored), verdictSentence(found)];
  // An interrupted gate has no verdict, and the sentence names the numbers of the rows.
  const verdict = isComplete && before !== after ? [`the stored verdict is "${before}"`] : [];
  return [...verdict, ...rows, ...budgets];
}

function differenceOf(stored: GateRow, found: GateRow): string[] {
  const name = rowName(stored);
  if (stored.outcome !== found.outcome) {
    return [`${name}: stored as ${word(stored)}, its pairs give ${word(found)}`];
  }
  const figures = (row: GateRow): readonly (number | undefined)[] => {
    const { ratio, interval } = row.evidence?.effect ?? {};
    return [row.base, row.head, ratio, ...(interval ?? []), row.evidence?.p, row.evidence?.excluded];
  };
  const again = figures(found);
  const differs = figures(stored).some((value, at) => !isEqual(value, again[at]));
  return differs ? [`${name}: the same verdict, but its stored figures are not those of its pairs`] : [];
}

function isEqual(one: number | undefined, other: number | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Math.abs(one - other) <= ROUNDING * Math.max(Math.abs(one), Math.abs(other));
}

function word({ outcome }: GateRow): string {
  return OUTCOME_WORDS[outcome].toLowerCase();
}
