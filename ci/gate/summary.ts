import { visible } from "../../harness/results/format.ts";
import { nameOf } from "./cells.ts";
import { evidenceWords, type GateResult, type GateRow, verdictSentence } from "./result.ts";

const WORDS: Readonly<Record<GateRow["outcome"], string>> = {
  "not-slower": "not slower",
  regression: "**slower**",
  undecided: "cannot decide",
  missing: "**did not run**",
  broken: "**broken**",
  new: "new",
  gone: "gone",
};
const ORDER: readonly GateRow["outcome"][] = [
  "missing",
  "broken",
  "regression",
  "undecided",
  "gone",
  "new",
  "not-slower",
];

/** Writes Markdown for a step summary: the verdict, then the cells, worst first. */
export function summaryOf({ rows, base, seed, warnings }: GateResult): string {
  const sorted = [...rows].sort((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome));
  const lines = sorted.map((row) => {
    const evidence = row.confirm ?? row.screen;
    const found = evidence === undefined ? (row.reason ?? "") : evidenceWords(evidence);
    const notes = row.notes.length > 0 ? `; ${row.notes.join("; ")}` : "";
    return `| ${cellText(nameOf(row.cell))} | ${WORDS[row.outcome]} | ${cellText(found + notes)} |`;
  });
  return [
    `### ${verdictSentence(rows)}`,
    "",
    "| cell | verdict | head / base, p50 |",
    "|---|---|---|",
    ...lines,
    "",
    ...warnings.flatMap((warning) => [`> ${cellText(warning.text)}`, ""]),
    `Base: \`${visible(base).replace(/`/g, "'")}\`, seed ${seed}. ` +
      "Paired fresh-process trials, exact sign-flip test; see `ci/gate/README.md`.",
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
