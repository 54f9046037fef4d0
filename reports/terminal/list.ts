import { oneLine } from "../../harness/results/format.ts";
import type { TransportRecord } from "../../harness/results/model.ts";
import { forTerminal } from "./border.ts";
import { type Column, renderTable, type TableRow, type TerminalOptions } from "./table.ts";

/** Transport as `list` shows it; only the registry has the family. */
export type ListEntry = TransportRecord & { readonly family: string };

const COLUMNS: readonly Column[] = [
  { title: "id", align: "left" },
  { title: "family", align: "left" },
  { title: "modes", align: "left" },
  { title: "patterns", align: "left" },
  { title: "version or reason", align: "left", shrink: "wrap" },
];

export function listTable(entries: readonly ListEntry[], options: TerminalOptions = {}): string {
  const rows = forTerminal(entries).map((entry): TableRow => {
    const state = entry.available ? entry.version : `unavailable: ${entry.reason}`;
    const cells = [
      entry.id,
      entry.family,
      entry.capabilities.modes.join(", "),
      entry.capabilities.patterns.join(", "),
      oneLine(state) + (entry.baseline ? " (baseline, never ranked)" : ""),
    ];
    return entry.available ? { cells } : { cells, style: "dim" };
  });
  return renderTable(COLUMNS, rows, options);
}

/** Writes a table of texts; the last column wraps. */
export function wrappedTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  options: TerminalOptions = {},
): string {
  const columns = titles.map(
    (title, index): Column =>
      index === titles.length - 1 ? { title, align: "left", shrink: "wrap" } : { title, align: "left" },
  );
  return renderTable(
    columns,
    rows.map((cells) => ({ cells })),
    options,
  );
}
