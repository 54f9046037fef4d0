import type { Changes } from "../../harness/results/changes.ts";
import { oneLine } from "../../harness/results/format.ts";
import { type ChangeLine, changesText } from "../changes.ts";
import { forTerminal } from "./border.ts";
import { type Column, paint, renderTable, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "", align: "left", shrink: "cut" },
  { title: "cell", align: "left", drop: 1 },
  { title: "before", align: "right" },
  { title: "now", align: "right" },
  { title: "now / before", align: "right" },
  { title: "", align: "left" },
];

/** Returns what changed since an earlier report: the pick, the cells that became slower or faster, and how many not. */
export function againstText(changes: Changes, options: TerminalOptions = {}): string {
  const { head, sentences, changed } = changesText(forTerminal(changes));
  const width = widthLimit(options);
  return [
    paint("bold", `${head} (${oneLine(changes.name)})`, options),
    ...sentences.flatMap((text) => wrap(text, width - 2)).map((line) => `  ${line}`),
    ...(changed.length === 0 ? [] : [renderTable(COLUMNS, changed.map(rowOf), options)]),
  ].join("\n");
}

function rowOf({ name, cell, before, now, ratio, verdict }: ChangeLine): { cells: string[] } {
  return { cells: [`  ${name}`, cell, before, now, ratio, verdict] };
}
