import type { Report } from "../../harness/results/model.ts";
import { RECORDED_NOTE, type RecordedTable, recordedTables as tablesOf } from "../recorded.ts";
import { forTerminal } from "./border.ts";
import { type Column, paint, renderTable, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "", align: "left", shrink: "cut" },
  { title: "share", align: "right" },
  { title: "p50", align: "right" },
  { title: "p99", align: "right" },
];

/**
 * Returns the latencies of recorded messages, over all and by group. Empty where none were replayed.
 *
 * @param grouped transport whose groups are shown; undefined: those of all
 */
export function recordedTables(report: Report, options: TerminalOptions = {}, grouped?: string): string {
  const tables = tablesOf(forTerminal(report));
  if (tables.length === 0) return "";
  const note = wrap(RECORDED_NOTE, widthLimit(options)).map((text) => paint("dim", text, options));
  return [...tables.map((each) => table(each, options, grouped)), note.join("\n")].join("\n");
}

function table({ title, rows, missing }: RecordedTable, options: TerminalOptions, grouped: string | undefined): string {
  const lines = rows.flatMap(({ transport, all, groups }): TableRow[] => [
    { cells: [transport, ...all.cells], ...(transport === grouped ? { style: "green" as const } : {}) },
    ...(grouped === undefined || transport === grouped ? groups : []).map(
      ({ name, cells }): TableRow => ({ cells: [`  ${name}`, ...cells] }),
    ),
  ]);
  const absent = missing.map(({ transport, reason }): TableRow => ({ name: transport, note: reason, style: "dim" }));
  const head = wrap(title, widthLimit(options)).map((text) => paint("bold", text, options));
  return [...head, renderTable(COLUMNS, [...lines, ...absent], options)].join("\n");
}
