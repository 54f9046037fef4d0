import { oneLine } from "../../harness/results/format.ts";
import type { Report } from "../../harness/results/model.ts";
import { interruption, MODE_LABELS, noPickReason, OTHER_SERVER } from "../labels.ts";
import { forTerminal } from "./border.ts";
import { paint, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const HOW_COMPARED =
  "The sentence compares all of its sizes together, within the same rounds; each table compares one size.";

/** Returns the first line of what an interrupted run prints; empty for a complete one. */
export function partialNote(report: Partial<Report>, options: TerminalOptions = {}): string {
  const found = interruption(report);
  return found === undefined ? "" : paint("yellow", `${found}: partial`, options);
}

/** Returns the verdict: one sentence, its reasons, the other classes, and what was ruled out. */
export function pickParagraph(report: Pick<Report, "pick"> & Partial<Report>, options: TerminalOptions = {}): string {
  const pick = forTerminal(report.pick);
  const lines: string[] = [];
  const add = (text: string, indent = "  "): void => {
    for (const line of wrap(oneLine(text), widthLimit(options) - indent.length)) lines.push(indent + line);
  };
  if (pick === null || pick === undefined) {
    lines.push(paint("yellow", `No pick: ${noPickReason(report)}.`, options));
  } else {
    lines.push(...wrap(oneLine(pick.sentence), widthLimit(options)).map((line) => paint("bold", line, options)));
    for (const reason of pick.reasons ?? []) add(`- ${reason}`);
    // The sentence above names the ties over all sizes. The tables of single sizes may show others.
    if ((pick.ranking?.length ?? 0) > 1 && (pick.workload?.payloads?.length ?? 0) > 1) add(HOW_COMPARED);
    for (const other of pick.alternatives ?? [])
      add(`${MODE_LABELS[other.mode] ?? other.mode}: ${other.transport}. ${other.sentence}`);
    for (const other of pick.otherServers ?? []) add(`${OTHER_SERVER}: ${other.sentence}`);
    for (const out of pick.notExamined ?? []) add(`not examined here: ${out.transport}: ${out.reason}`);
    for (const out of pick.ruledOut ?? []) add(`ruled out: ${out.transport}: ${out.reason}`);
  }
  return lines.join("\n");
}
