import { markdownText as text } from "./markdown-text.ts";
import { type Section, sectionsWithin } from "./sections-within.ts";
import {
  answerOf,
  cautions,
  type MachineReport,
  machineLine,
  READ_BY_COLUMN,
  type SideBySideTable,
  sideBySide,
} from "./side-by-side.ts";

/** Largest text for a pull request, bytes: GitHub takes 65,536 characters in a comment. */
const PULL_REQUEST_BYTES = 60_000;

/** Writes the reports of several machines side by side as markdown; whole sections that do not fit are named. */
export function renderMachinesMarkdown(machines: readonly MachineReport[]): string {
  const head = [`## ipcmark on ${machines.length} machines`, ...cautions(machines).map((one) => `> ${text(one)}`)];
  const sections: Section[] = [
    { name: "the warnings", text: head.join("\n\n") },
    ...machines.map(answer),
    { name: "how to read the tables", text: READ_BY_COLUMN },
    ...sideBySide(machines).map((table) => figures(machines, table)),
  ];
  return sectionsWithin(sections, PULL_REQUEST_BYTES, "machines.html has all of it.");
}

function answer({ name, report }: MachineReport): Section {
  const facts = `${machineLine(report.environment)}, measured ${report.startedAt.slice(0, 10)}`;
  const lines = [`### ${text(name)}`, text(answerOf(report)), `<sub>${text(facts)}</sub>`];
  return { name: text(name), text: lines.join("\n\n") };
}

function figures(machines: readonly MachineReport[], { title, rows }: SideBySideTable): Section {
  const head = ["transport", ...machines.map(({ name }) => name)];
  const lines = [head.map(text), head.map((_, at) => (at === 0 ? "---" : "--:")), ...rows.map((row) => row.map(text))];
  const body = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return { name: text(title), text: `<details><summary>${text(title)}</summary>\n\n${body}\n\n</details>` };
}
