import type { Report } from "../../harness/results/model.ts";
import { CODEC_COLUMNS, CODEC_NOTE, codecGroups } from "../codec-table.ts";
import { type Column, paint, renderTable, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const COLUMNS: readonly Column[] = CODEC_COLUMNS.map((title, index) => ({
  title,
  align: index === 0 ? "left" : "right",
}));

/** What codecs cost by themselves, one block per kind of value. Empty where none was measured. */
export function codecTables(report: Pick<Report, "codecs">, options: TerminalOptions = {}): string {
  const groups = codecGroups(report);
  if (groups.length === 0) return "";
  const rows = groups.flatMap(({ title, lines }): TableRow[] => [
    { heading: title, style: "dim" },
    ...lines.map(
      ({ name, cells, reason = "" }): TableRow =>
        cells === undefined ? { name: `  ${name}`, note: reason, style: "dim" } : { cells: [`  ${name}`, ...cells] },
    ),
  ]);
  return [
    paint("bold", "codecs alone", options),
    renderTable(COLUMNS, rows, options),
    ...wrap(CODEC_NOTE, widthLimit(options)).map((text) => paint("dim", text, options)),
  ].join("\n");
}
