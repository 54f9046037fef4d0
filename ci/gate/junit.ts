import { type JunitCase, junitXml } from "../../reports/junit.ts";
import { budgetWords } from "./budgets.ts";
import { nameOf } from "./cells.ts";
import { type GateResult, type GateRow, isRed, isUndecided } from "./result.ts";
import { columnsOf } from "./words.ts";

/**
 * Writes one test case per declared cell and metric. A cell that did not run is an error, not a skipped test. A base
 * that could not be prepared is one error.
 */
export function junitOf({ rows, budgets, durationMs, base, strict, baseFailure }: GateResult): string {
  const ofBase: JunitCase[] =
    baseFailure === undefined ? [] : [{ name: "base", type: "missing", outcome: "error", message: baseFailure }];
  const ofBudgets = budgets.map((row): JunitCase => {
    const about = { name: `budget of ${nameOf(row.cell)} ${row.metric}`, type: row.outcome };
    const outcome = row.outcome === "kept" ? "passed" : row.outcome === "untold" ? "error" : "failure";
    return { ...about, outcome, message: budgetWords(row) };
  });
  const cases = [...ofBase, ...rows.map((row) => caseOf(row, strict)), ...ofBudgets];
  return junitXml("ipcmark gate", durationMs, [{ name: "gate", properties: { base }, durationMs, cases }]);
}

function caseOf(row: GateRow, isStrict: boolean): JunitCase {
  const { cell, base, head, change, sees, verdict, rest } = columnsOf(row);
  const figures = row.evidence === undefined ? "" : `base ${base}, head ${head}, ${change}, could see ${sees}; `;
  const message = `${verdict.toLowerCase()}: ${figures}${rest}`;
  const outcome = row.outcome === "missing" ? "error" : isRed(row, isStrict) || isUndecided(row) ? "failure" : "passed";
  return { name: cell, type: row.outcome, outcome, message };
}
