import type { Report } from "../../harness/results/model.ts";
import { CODEC_COLUMNS, CODEC_NOTE, codecGroups, unsteadyNote } from "../codec-table.ts";
import { forTerminal } from "./border.ts";
import { type Column, paint, renderTable, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const COLUMNS: readonly Column[] = CODEC_COLUMNS.map((title, index) => ({
  title,
  align: index === 0 ? "left" : "right",
}));

/** Returns tables of the codecs' own cost, one block per kind of value. Empty where none was measured. */
export function codecTables(report: Pick<Report, "codecs">, options: TerminalOptions = {}): string {
  const groups = codecGroups({ codecs: forTerminal(report.codecs ?? []) });
  if (groups.length === 0) return "";
  const rows = groups.flatMap(({ title, lines }): TableRow[] => [
    { heading: title, style: "dim" },
    ...lines.map(
      ({ name, cells, reason = "", unsteady }): TableRow =>
        cells === undefined
          ? { name: `  ${name}`, note: reason, style: "dim" }
          : { cells: [`  ${name}${unsteady ? " !" : ""}`, ...cells] },
    ),
  ]);
  const unsteady = groups.some(({ lines }) => lines.some((line) => line.unsteady));
  const notes = unsteady ? [unsteadyNote("!"), CODEC_NOTE] : [CODEC_NOTE];
  return [
    paint("bold", "codecs alone", options),
    renderTable(COLUMNS, rows, options),
    ...notes.flatMap((note) => wrap(note, widthLimit(options)).map((text) => paint("dim", text, options))),
  ].join("\n");
}
