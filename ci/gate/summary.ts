import { markdownCode, markdownText } from "../../reports/markdown-text.ts";
import { firstLines, STEP_BYTES, sectionsWithin } from "../../reports/sections-within.ts";
import type { GateResult, GateRow, RowOutcome } from "./result.ts";
import { budgetLine, COLUMN_NAMES, columnsOf, verdictSentence, WORST_FIRST } from "./words.ts";

const LOUD: ReadonlySet<RowOutcome> = new Set(["regression", "missing", "broken"]);
/** Largest number of rows, and of lines in a list. */
const MOST_ROWS = 40;
const MOST_LINES = 15;
/** Longest text in a cell, characters. */
const LONGEST = 200;

/**
 * Writes Markdown for a step summary or a pull request: the verdict, then the cells, worst first, then budgets and
 * warnings. Always below 20 kB.
 *
 * @param sentence the verdict, where it does not follow from the rows
 */
export function summaryOf(result: GateResult, sentence: string = verdictSentence(result)): string {
  const { rows, base, seed, warnings, budgets } = result;
  const about =
    `Base: ${markdownCode(base.slice(0, LONGEST))}, seed ${seed}. ` +
    "Base and head are medians; the change is the typical one within a pair, so it may differ from them. " +
    "Exact signed-rank test; see `ci/gate/README.md` in the package `ipcmark`.";
  const sections = [
    { name: "the verdict", text: `### ${cellText(sentence, 4 * LONGEST)}` },
    { name: "the cells", text: rows.length === 0 ? "" : table(rows) },
    {
      name: "budgets",
      text: firstLines(
        budgets.map((row) => `- ${cellText(budgetLine(row))}`),
        MOST_LINES,
      ).join("\n"),
    },
    {
      name: "warnings",
      text: firstLines(
        warnings.map(({ text }) => `- ⚠ ${cellText(text)}`),
        MOST_LINES,
      ).join("\n"),
    },
    { name: "the base", text: about },
  ];
  return sectionsWithin(sections, STEP_BYTES, "gate.json has all of it.");
}

function table(rows: readonly GateRow[]): string {
  const sorted = rows.toSorted((a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome));
  const { cell, verdict, base, head, change, sees } = COLUMN_NAMES;
  const lines = sorted.slice(0, MOST_ROWS).map((row) => {
    const columns = columnsOf(row);
    const isLoud = LOUD.has(row.outcome) && row.accepted === undefined;
    const word = isLoud ? `**${columns.verdict.toLowerCase()}**` : columns.verdict;
    const cells = [columns.base, columns.head, columns.change, columns.sees, columns.rest];
    return `| ${cellText(columns.cell)} | ${word} | ${cells.map((text) => cellText(text)).join(" | ")} |`;
  });
  const more = rows.length - MOST_ROWS;
  return [
    `| ${[cell, verdict, base, head, change, sees].join(" | ")} | |`,
    "|---|---|---|---|---|---|---|",
    ...lines,
    ...(more > 0 ? ["", `… and ${more} more rows, none of them worse; gate.json has them.`] : []),
  ].join("\n");
}

function cellText(text: string, longest: number = LONGEST): string {
  const line = text.replace(/\s+/g, " ");
  return markdownText(line.length <= longest ? line : `${line.slice(0, longest)}…`);
}
