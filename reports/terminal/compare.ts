import type { Report } from "../../harness/results/model.ts";
import { type Block, blocksOf, type PlainRow, type RankedRow, type Throughput } from "../blocks.ts";
import { ABSENT, bytes, duration, durationRange, oneLine, quantity, ratio } from "../format.ts";
import { MODE_LABELS, placementTitle } from "../labels.ts";
import { type Column, paint, renderTable, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "", align: "left", shrink: "cut" },
  { title: "p50", align: "right" },
  { title: "95 % interval", align: "right" },
  { title: "p99", align: "right" },
  { title: "msg/s", align: "right" },
  { title: "CPU/msg", align: "right" },
  { title: "ratio", align: "right" },
  { title: "", align: "left" },
];

/** One word per standing, so that the meaning survives without colour. */
const MARKS = { best: "best", tied: "= tie", behind: "", unknown: "?" } as const;

/**
 * The measurements as tables: one per placement and benchmark, in it the waiting classes, in these the payload sizes.
 * Nothing is ranked across placements or classes. Empty where nothing was measured.
 */
export function compareTables(report: Report, options: TerminalOptions = {}): string {
  const tables = Map.groupBy(blocksOf(report), (block) => JSON.stringify([block.placement, block.benchmark]));
  return [...tables.values()].map((blocks) => table(report, blocks, options)).join("\n\n");
}

function table(report: Report, blocks: readonly Block[], options: TerminalOptions): string {
  const first = blocks[0] as Block;
  const title = `${placementTitle(first.placement, report.environment)} · ${first.benchmark}`;
  const rows: TableRow[] = [];
  let mode: string | undefined;
  for (const block of blocks) {
    if (block.mode !== mode) rows.push({ heading: MODE_LABELS[block.mode], style: ["bold", "cyan"] });
    mode = block.mode;
    rows.push({ heading: ` ${blockTitle(block)}`, style: "dim" }, ...blockRows(block));
  }
  const lines = [paint("bold", title, options), renderTable(COLUMNS, rows, options)];
  for (const note of footnotes(blocks))
    lines.push(...wrap(note, widthLimit(options)).map((text) => paint("dim", text, options)));
  return lines.join("\n");
}

function blockTitle(block: Block): string {
  if (block.variant !== "" && isOfValues(block)) return `${block.variant}: ${sizes(block)}, four conversions included`;
  const size = bytes(block.payloadBytes);
  return block.variant === "" ? size : `${size}, ${block.variant}`;
}

function isOfValues({ ranked, baselines, missing }: Block): boolean {
  return [...ranked, ...baselines, ...missing].some(({ cell }) => cell.corpus !== undefined);
}

/** `98 B to 160 B`: what the codecs of the block make of one value. */
function sizes({ ranked, baselines, missing }: Block): string {
  const known = [...ranked, ...baselines, ...missing].map(({ cell }) => cell.payloadBytes).filter((size) => size > 0);
  if (known.length === 0) return ABSENT;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return least === most ? bytes(most) : `${bytes(least)} to ${bytes(most)}`;
}

function blockRows(block: Block): TableRow[] {
  const rows: TableRow[] = block.ranked.map((row) => ({
    cells: cells(row, row),
    ...(row.standing === "best" ? { style: "green" as const } : {}),
  }));
  for (const row of block.missing)
    rows.push({
      name: `  ${row.name}`,
      note: missingText(row),
      style: row.cell.status === "failed" ? "red" : "dim",
    });
  if (block.baselines.length > 0)
    rows.push(
      { rule: true },
      ...block.baselines.map((row) => ({ cells: cells(row, undefined), style: "dim" as const })),
    );
  return rows;
}

function cells(row: PlainRow, ranked: RankedRow | undefined): string[] {
  const { latencyNs, interval, cpuNsPerMessage } = row.cell;
  return [
    `  ${row.name}`,
    duration(latencyNs?.p50),
    latencyNs ? durationRange(interval?.p50, latencyNs.p50) : ABSENT,
    duration(latencyNs?.p99),
    throughputText(row.throughput, row.cell.benchmark),
    duration(cpuNsPerMessage),
    ratio(ranked?.ratio),
    `${ranked ? MARKS[ranked.standing] : "baseline"}${row.cell.warnings?.length ? " !" : ""}`.trim(),
  ];
}

/** `51.2 k`; with a star where the number comes from round trips, and a dagger where the stream cell failed. */
function throughputText(throughput: Throughput, benchmark: string): string {
  if (throughput.messagesPerSecond === null) return ABSENT;
  const mark = throughput.streamReason ? "†" : throughput.source === "own" && benchmark === "round-trip" ? "*" : "";
  return quantity(throughput.messagesPerSecond) + mark;
}

export function missingText(row: PlainRow): string {
  const status = row.cell.status === "measured" ? "no value" : row.cell.status.replace("-", " ");
  return `${status}: ${oneLine(row.cell.reason ?? "no reason recorded")}`;
}

function footnotes(blocks: readonly Block[]): string[] {
  const ranked = blocks.flatMap((block) => block.ranked);
  const rows = [...ranked, ...blocks.flatMap((block) => block.baselines)];
  const notes: string[] = [];
  if (ranked.some((row) => row.standing === "tied"))
    notes.push("= tie: the 95 % interval overlaps that of the best, so this run cannot tell the two apart.");
  if (ranked.some((row) => row.standing === "unknown"))
    notes.push("?: too few trials for a 95 % interval (6 are needed), so the distance to the best may be chance.");
  if (rows.some((row) => throughputText(row.throughput, row.cell.benchmark).endsWith("*")))
    notes.push("*: one message at a time, there and back; not what a stream of messages reaches.");
  const warned = rows.flatMap((row) => (row.cell.warnings ?? []).map((text) => ({ text: oneLine(text), row })));
  for (const [text, group] of Map.groupBy(warned, ({ text }) => text))
    notes.push(`! ${text} (${group.map(({ row }) => `${row.name} ${bytes(row.cell.payloadBytes)}`).join(", ")})`);
  for (const row of rows)
    if (row.throughput.streamReason)
      notes.push(`† ${row.name}, ${bytes(row.cell.payloadBytes)}: the stream ${oneLine(row.throughput.streamReason)}`);
  return notes;
}
