import { folded, tableOf, markdownText as text } from "./markdown-text.ts";
import { PULL_REQUEST_BYTES, type Section, sectionsWithin } from "./sections-within.ts";
import {
  answerOf,
  cautions,
  type MachineReport,
  machineLine,
  READ_BY_COLUMN,
  type SideBySideTable,
  sideBySide,
} from "./side-by-side.ts";

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
  const head = ["transport", ...machines.map(({ name }) => text(name))];
  const body = tableOf(
    head,
    [0],
    rows.map((row) => row.map(text)),
  );
  return { name: text(title), text: folded(title, body) };
}
