import type { Report } from "../../harness/results/model.ts";
import { PAIRS_NOTE, type PairTable, pairTables } from "../pairs.ts";
import { forTerminal } from "./border.ts";
import { type Column, paint, renderTable, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

/** Returns the tables of pairs of languages, one per placement. Empty where no other client was measured. */
export function pairsTables(report: Report, options: TerminalOptions = {}): string {
  const tables = pairTables(forTerminal(report));
  if (tables.length === 0) return "";
  const note = wrap(PAIRS_NOTE, widthLimit(options)).map((text) => paint("dim", text, options));
  return [...tables.map((each) => table(each, options)), note.join("\n")].join("\n");
}

function table({ title, columns, mechanisms }: PairTable, options: TerminalOptions): string {
  const rows = mechanisms.flatMap(({ transport, lines }): TableRow[] => [
    { heading: transport, style: ["bold", "cyan"] },
    ...lines.map(
      ({ name, waits, cells, reason = "" }): TableRow =>
        cells === undefined
          ? { name: `  ${name}`, note: reason, style: "dim" }
          : { cells: [`  ${name}`, waits, ...cells] },
    ),
  ]);
  return [
    paint("bold", `pairs of languages, client → server · ${title}`, options),
    renderTable(columnsOf(columns), rows, options),
  ].join("\n");
}

/** Where there is no room, the rate goes first, then the CPU time, then the larger sizes. */
function columnsOf(titles: readonly string[]): Column[] {
  return [
    { title: "", align: "left", shrink: "cut" },
    { title: "waits", align: "left" },
    ...titles.map((title, index): Column => {
      const drop = titles.length - index;
      return index === 0 ? { title, align: "right" } : { title, align: "right", drop };
    }),
  ];
}
