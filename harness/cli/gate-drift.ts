import { type DriftRow, driftExitCode, driftsIn, driftWords } from "../../ci/gate/drift.ts";
import { driftPage } from "../../ci/gate/drift-page.ts";
import { readHistory } from "../../ci/gate/history.ts";
import { note } from "../process/note.ts";
import { visible } from "../results/format.ts";
import { randomFrom } from "../results/random.ts";
import { ensureWritable, store } from "../results/store.ts";
import { appendStepSummary, print, printJson } from "./output.ts";

interface DriftOptions {
  readonly tolerance: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly out: string;
}

/** Largest number of lines in a summary, and the longest of them, characters. */
const MOST_LINES = 40;
const LONGEST = 160;
/** Seed of the random orders: the same history gives the same answer. */
const SEED = 1;

/**
 * Prints one line for each cell and machine of a history, and writes its page.
 *
 * @throws StoreError when the file is no history, or the page cannot be written
 */
export async function reportDrift(file: string, { tolerance, seed = SEED, json, out }: DriftOptions): Promise<void> {
  const { entries, defects } = readHistory(file);
  ensureWritable(out, ["drift.html"]);
  const rows = driftsIn(entries, tolerance, randomFrom(seed));
  for (const defect of defects) note(`ipcmark: ${file}, ${defect}`);
  const names = namesOf(rows);
  const wide = Math.max(...names.map((name) => name.length));
  const lines = rows.map((row, index) => `${(names[index] ?? "").padEnd(wide)}  ${driftWords(row, tolerance)}`);
  if (json) printJson({ tolerance, rows, defects });
  else print(lines.join("\n"));
  appendStepSummary(summaryOf(lines));
  const { renderDrift } = await import("../../reports/html/drift.ts");
  const page = store(out, "drift.html", await renderDrift(driftPage(rows, names, tolerance, defects)));
  note(`written: ${page}`);
  process.exitCode = driftExitCode(rows);
}

/** Writes the lines as Markdown, below 20 kB, in a block of code, which no text of a history can end. */
function summaryOf(lines: readonly string[]): string {
  const safe = lines.slice(0, MOST_LINES).map((line) => visible(line).slice(0, LONGEST).replaceAll("`", "'"));
  const more = lines.length - safe.length;
  return ["### Drift", "", "```", ...safe, ...(more > 0 ? [`… and ${more} more`] : []), "```", ""].join("\n");
}

/** Names each row by its cell, and by its machine where there are several. */
function namesOf(rows: readonly DriftRow[]): string[] {
  const machines = new Set(rows.map(({ machine }) => machine)).size;
  return rows.map(({ cell, machine }) => (machines === 1 ? cell : `${cell} on ${machine.slice(0, 8)}`));
}
