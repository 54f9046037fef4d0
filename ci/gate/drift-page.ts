/** Page of `gate --drift`, as plain data. */
import { packageVersion } from "../../harness/results/environment.ts";
import { count, percent } from "../../harness/results/format.ts";
import type { DriftPage } from "../../reports/html/drift.ts";
import { type DriftRow, driftWords, stepWords } from "./drift.ts";

const TONES = { drift: "bad", steady: "good", "too-few": "open" } as const;

/**
 * @param names of the rows, in their order
 * @param tolerance growth that is accepted, as a share
 */
export function driftPage(
  rows: readonly DriftRow[],
  names: readonly string[],
  tolerance: number,
  defects: readonly string[],
): DriftPage {
  return {
    sentence: sentenceOf(rows, names, tolerance),
    tolerance,
    defects,
    rows: rows.map((row, at) => ({
      ...{ name: names[at] ?? row.cell, words: driftWords({ ...row, steps: [] }, tolerance), levels: row.levels },
      ...{ tone: TONES[row.outcome], dates: row.dates },
      steps: row.steps.map((step) => ({ at: step.at, words: stepWords(step) })),
    })),
    ipcmark: packageVersion(),
  };
}

function sentenceOf(rows: readonly DriftRow[], names: readonly string[], tolerance: number): string {
  const namesOf = (outcome: DriftRow["outcome"]): string[] => names.filter((_, at) => rows[at]?.outcome === outcome);
  const [drifts, steady, few] = [namesOf("drift"), namesOf("steady"), namesOf("too-few")];
  if (drifts.length > 0) return `Drift of more than ${percent(tolerance)} above the best level: ${drifts.join(", ")}`;
  const open = few.length === 0 ? "" : `; ${count(few.length, "series")} too short to be examined`;
  if (steady.length === 0) return "No series is long enough to be examined";
  return `No drift of more than ${percent(tolerance)} in ${steady.length} series${open}`;
}
