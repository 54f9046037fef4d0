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

/** Writes the table; a reason that several transports share stands once below it, in a line with a number. */
export function listTable(entries: readonly ListEntry[], options: TerminalOptions = {}): string {
  const shown = forTerminal(entries);
  const reasons = shown.flatMap((entry) => (entry.available ? [] : [oneLine(entry.reason)]));
  const shared = [...new Set(reasons.filter((reason, index) => reasons.indexOf(reason) !== index))];
  const rows = shown.map((entry): TableRow => {
    const note = entry.available ? 0 : shared.indexOf(oneLine(entry.reason)) + 1;
    const why = note > 0 ? ` (${note})` : `: ${entry.available ? "" : entry.reason}`;
    const state = entry.available ? entry.version : `unavailable${why}`;
    const cells = [
      entry.id,
      entry.family,
      entry.capabilities.modes.join(", "),
      entry.capabilities.patterns.join(", "),
      oneLine(state) + (entry.baseline ? " (baseline, never ranked)" : ""),
    ];
    return entry.available ? { cells } : { cells, style: "dim" };
  });
  const notes = shared.map((reason, index) => `(${index + 1}) ${reason}`);
  return [renderTable(COLUMNS, rows, options), ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
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
