import { styleText } from "node:util";

/** Destination of the text, which decides width and colour. `util.styleText` honours NO_COLOR and FORCE_COLOR. */
export interface TerminalOptions {
  /** Width to stay within, default 100; below 80 nothing more is shortened. */
  readonly columns?: number;
  /** Stream that is written to, default stdout; pass stderr where prose goes there. */
  readonly stream?: NodeJS.WriteStream;
}

export type Style = Parameters<typeof styleText>[0];

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  /** Way in which the one flexible column shrinks: cut in its middle with `…`, or wrapped (last column only). */
  readonly shrink?: "cut" | "wrap";
  /**
   * Order in which columns are left out of a table that is too wide, the lowest first, before anything is shortened.
   */
  readonly drop?: number;
}

/** `cells` holds one text per column. `note` spans all columns after the first: a reason instead of numbers. */
export type TableRow =
  | { readonly cells: readonly string[]; readonly style?: Style }
  | { readonly name: string; readonly note: string; readonly style?: Style }
  | { readonly heading: string; readonly style?: Style }
  | { readonly rule: true };

const GAP = "  ";
/** Begins the note on columns that were left out. */
export const NO_ROOM = "no room here for";
const MIN_SHRUNK = 8;

export function widthLimit(options: TerminalOptions): number {
  return Math.max(80, options.columns ?? 100);
}

export function paint(style: Style | undefined, text: string, options: TerminalOptions): string {
  return style === undefined ? text : styleText(style, text, { stream: options.stream ?? process.stdout });
}

/** Drops columns until the table fits, and returns their names with it. */
function droppedToFit(columns: readonly Column[], rows: readonly TableRow[], limit: number): Fitted {
  const least = Math.min(...columns.map(({ drop = Number.POSITIVE_INFINITY }) => drop));
  const at = columns.findIndex(({ drop }) => drop === least);
  const widths = naturalWidths(columns, rows);
  if (at < 0 || totalOf(widths) <= limit) return { columns, rows, dropped: [] };
  const left = rows.map((row) => ("cells" in row ? { ...row, cells: row.cells.toSpliced(at, 1) } : row));
  const fitted = droppedToFit(columns.toSpliced(at, 1), left, limit);
  return { ...fitted, dropped: [columns[at]?.title ?? "", ...fitted.dropped] };
}

interface Fitted {
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
  readonly dropped: readonly string[];
}

/** Writes fixed-width columns. Colour is added after padding, so that escape codes never count as width. */
export function renderTable(all: readonly Column[], full: readonly TableRow[], options: TerminalOptions): string {
  const limit = widthLimit(options);
  const { columns, rows, dropped } = droppedToFit(all, full, limit);
  const widths = columnWidths(columns, rows, limit);
  const total = totalOf(widths);
  const header = line(
    columns.map((column) => column.title),
    columns,
    widths,
  );
  const lines = [paint("bold", header, options)];
  for (const row of rows) {
    if ("rule" in row) lines.push(paint("dim", "─".repeat(total), options));
    else if ("heading" in row) lines.push(paint(row.style, cut(row.heading, limit), options));
    else if ("note" in row)
      lines.push(...noteLines(row, widths[0] ?? 0, limit).map((text) => paint(row.style, text, options)));
    else lines.push(...cellLines(row.cells, columns, widths).map((text) => paint(row.style, text, options)));
  }
  if (dropped.length > 0)
    lines.push(paint("dim", cut(`${NO_ROOM} ${dropped.join(", ")}: a wider terminal shows them`, limit), options));
  return lines.join("\n");
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

function naturalWidths(columns: readonly Column[], rows: readonly TableRow[]): number[] {
  return columns.map((column, index) => Math.max(column.title.length, ...rows.map((row) => textAt(row, index).length)));
}

function columnWidths(columns: readonly Column[], rows: readonly TableRow[], limit: number): number[] {
  const widths = naturalWidths(columns, rows);
  const excess = totalOf(widths) - limit;
  const at = columns.findIndex((column) => column.shrink);
  if (excess > 0 && at >= 0) widths[at] = Math.max(MIN_SHRUNK, (widths[at] ?? 0) - excess);
  return widths;
}

function textAt(row: TableRow, index: number): string {
  if ("cells" in row) return row.cells[index] ?? "";
  return "note" in row && index === 0 ? row.name : "";
}

function cellLines(cells: readonly string[], columns: readonly Column[], widths: readonly number[]): string[] {
  const last = columns.length - 1;
  if (columns[last]?.shrink !== "wrap") return [line(cells, columns, widths)];
  const indent = " ".repeat(widths.slice(0, last).reduce((sum, width) => sum + width + GAP.length, 0));
  const [first = "", ...rest] = wrap(cells[last] ?? "", widths[last] ?? MIN_SHRUNK);
  return [line([...cells.slice(0, last), first], columns, widths), ...rest.map((text) => indent + text)];
}

function line(cells: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  return columns
    .map((column, index) => {
      const text = cutInside(cells[index] ?? "", widths[index] ?? 0);
      return column.align === "right" ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0);
    })
    .join(GAP)
    .trimEnd();
}

/** Wraps a reason and never cuts it, because its row has nothing else. */
function noteLines(row: { name: string; note: string }, nameWidth: number, limit: number): string[] {
  const indent = " ".repeat(nameWidth + GAP.length);
  const texts = wrap(row.note, limit - indent.length);
  return texts.map((text, index) =>
    index === 0 ? cutInside(row.name, nameWidth).padEnd(nameWidth) + GAP + text : indent + text,
  );
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Cuts a name in its middle: names of one family share their beginning, so cut ends could make two rows equal. */
export function cutInside(text: string, width: number): string {
  if (text.length <= width) return text;
  const head = Math.ceil((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/** Wraps greedily at spaces; breaks a word longer than the line, since paths have no spaces. */
export function wrap(text: string, room: number): string[] {
  // Where a name is as long as the line, there is no room beside it.
  const width = Math.max(MIN_SHRUNK, room);
  const lines: string[] = [];
  let current = "";
  for (let word of text.split(/\s+/).filter((part) => part !== "")) {
    if (current !== "" && current.length + 1 + word.length <= width) {
      current += ` ${word}`;
      continue;
    }
    if (current !== "") lines.push(current);
    for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width));
    current = word;
  }
  return current === "" && lines.length > 0 ? lines : [...lines, current];
}
