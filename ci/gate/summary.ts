import { visible } from "../../harness/results/format.ts";
import type { GateResult, RowOutcome } from "./result.ts";
import { budgetLine, COLUMN_NAMES, columnsOf, verdictSentence, WORST_FIRST } from "./words.ts";

const LOUD: ReadonlySet<RowOutcome> = new Set(["regression", "missing", "broken"]);

/** Writes Markdown for a step summary: the verdict, then the cells, worst first. */
export function summaryOf(result: GateResult): string {
  const { rows, base, seed, warnings, budgets } = result;
  const sorted = rows.toSorted((a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome));
  const { cell, verdict, base: baseName, head, change, sees } = COLUMN_NAMES;
  const lines = sorted.map((row) => {
    const columns = columnsOf(row);
    const isLoud = LOUD.has(row.outcome) && row.accepted === undefined;
    const word = isLoud ? `**${columns.verdict.toLowerCase()}**` : columns.verdict;
    const cells = [columns.base, columns.head, columns.change, columns.sees, columns.rest];
    return `| ${cellText(columns.cell)} | ${word} | ${cells.map(cellText).join(" | ")} |`;
  });
  return [
    `### ${cellText(verdictSentence(result))}`,
    "",
    `| ${[cell, verdict, baseName, head, change, sees].join(" | ")} | |`,
    "|---|---|---|---|---|---|---|",
    ...lines,
    "",
    ...budgets.map((row) => `- ${cellText(budgetLine(row))}`),
    ...(budgets.length === 0 ? [] : [""]),
    ...warnings.flatMap((warning) => [`> ${cellText(warning.text)}`, ""]),
    `Base: \`${visible(base).replace(/`/g, "'")}\`, seed ${seed}. ` +
      "Paired fresh-process trials, exact signed-rank test; see `ci/gate/README.md`.",
    "",
  ].join("\n");
}

function cellText(text: string): string {
  return visible(text.replace(/\s+/g, " "))
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/[\\`*_[\]|~#]/g, "\\$&")
    .replace(/@/g, "&#64;");
}
