import { type JunitCase, junitXml } from "../../reports/junit.ts";
import { nameOf } from "./cells.ts";
import { evidenceWords, type GateResult, type GateRow } from "./result.ts";

/** Writes one test case per declared cell. A cell that did not run is an error, not a skipped test. */
export function junitOf({ rows, durationMs, base }: GateResult): string {
  const suite = { name: "gate", properties: { base }, durationMs, cases: rows.map(caseOf) };
  return junitXml("ipcmark gate", durationMs, [suite]);
}

function caseOf(row: GateRow): JunitCase {
  const about = { name: nameOf(row.cell), type: row.outcome };
  const evidence = row.confirm ?? row.screen;
  const words = evidence === undefined ? (row.reason ?? "") : `head/base ${evidenceWords(evidence)}`;
  switch (row.outcome) {
    case "not-slower":
    case "new":
    case "gone":
      return { ...about, outcome: "passed", message: words };
    case "broken":
      return { ...about, outcome: "failure", message: `broken: ${words}` };
    case "regression":
      return { ...about, outcome: "failure", message: `slower than the base: ${words}` };
    case "undecided":
      return { ...about, outcome: "failure", message: `cannot decide: ${words}` };
    case "missing":
      return { ...about, outcome: "error", message: `did not run: ${words}` };
  }
}
