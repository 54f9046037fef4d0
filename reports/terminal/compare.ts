import type { Report } from "../../harness/results/model.ts";
import { type Block, blocksOf, type PlainRow, type RankedRow, type Throughput } from "../blocks.ts";
import { canaryText } from "../canary.ts";
import { ABSENT, bytes, duration, durationRange, oneLine, quantity, ratio } from "../../harness/results/format.ts";
import { MODE_LABELS, placementTitle } from "../labels.ts";
import { missingText } from "../missing.ts";
import { type Column, paint, renderTable, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const LIMIT_COLUMN: Column = { title: "× limit", align: "right" };
/** On a narrower terminal the names would be cut beyond recognition to make room for it. */
const LIMIT_COLUMN_FROM = 100;

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
  const withLimit = widthLimit(options) >= LIMIT_COLUMN_FROM && hasLimit(blocks);
  const rows: TableRow[] = [];
  let mode: string | undefined;
  for (const block of blocks) {
    if (block.mode !== mode) rows.push({ heading: MODE_LABELS[block.mode], style: ["bold", "cyan"] });
    mode = block.mode;
    rows.push({ heading: ` ${blockTitle(block)}`, style: "dim" }, ...blockRows(block, withLimit));
  }
  const lines = [paint("bold", title, options), renderTable(columns(withLimit), rows, options)];
  for (const note of [...floorNote(report, blocks), ...footnotes(blocks, withLimit)])
    lines.push(...wrap(note, widthLimit(options)).map((text) => paint("dim", text, options)));
  return lines.join("\n");
}

function columns(withLimit: boolean): readonly Column[] {
  return withLimit ? [...COLUMNS.slice(0, -1), LIMIT_COLUMN, ...COLUMNS.slice(-1)] : COLUMNS;
}

function hasLimit(blocks: readonly Block[]): boolean {
  return blocks.some(({ ranked, baselines }) => [...ranked, ...baselines].some(({ cell }) => cell.limit !== undefined));
}

/** Only below a table with latencies: beside a p99 it says how much of the tail is the machine's. */
function floorNote({ canaries }: Report, blocks: readonly Block[]): string[] {
  const first = blocks[0] as Block;
  const canary = canaries?.[first.placement];
  return canary && blocks.some(({ metric, ranked }) => metric === "p50" && ranked.length > 0)
    ? [canaryText(canary)]
    : [];
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

function blockRows(block: Block, withLimit: boolean): TableRow[] {
  const rows: TableRow[] = block.ranked.map((row) => ({
    cells: cells(row, row, withLimit),
    ...(row.standing === "best" ? { style: "green" as const } : {}),
  }));
  for (const row of block.missing)
    rows.push({
      name: `  ${row.name}`,
      note: missingText(row.cell),
      style: row.cell.status === "failed" ? "red" : "dim",
    });
  if (block.baselines.length > 0)
    rows.push(
      { rule: true },
      ...block.baselines.map((row) => ({ cells: cells(row, undefined, withLimit), style: "dim" as const })),
    );
  return rows;
}

function cells(row: PlainRow, ranked: RankedRow | undefined, withLimit: boolean): string[] {
  const { latencyNs, interval, cpuNsPerMessage } = row.cell;
  return [
    `  ${row.name}`,
    duration(latencyNs?.p50),
    latencyNs ? durationRange(interval?.p50, latencyNs.p50) : ABSENT,
    duration(latencyNs?.p99),
    throughputText(row.throughput, row.cell.benchmark),
    duration(cpuNsPerMessage),
    ratio(ranked?.ratio),
    ...(withLimit ? [ratio(row.cell.limit?.ratio)] : []),
    `${ranked ? MARKS[ranked.standing] : "baseline"}${row.cell.warnings?.length ? " !" : ""}`.trim(),
  ];
}

/** `51.2 k`; with a star where the number comes from round trips, and a dagger where the stream cell failed. */
function throughputText(throughput: Throughput, benchmark: string): string {
  if (throughput.messagesPerSecond === null) return ABSENT;
  const mark = throughput.streamReason ? "†" : throughput.source === "own" && benchmark === "round-trip" ? "*" : "";
  return quantity(throughput.messagesPerSecond) + mark;
}

function footnotes(blocks: readonly Block[], withLimit: boolean): string[] {
  const ranked = blocks.flatMap((block) => block.ranked);
  const rows = [...ranked, ...blocks.flatMap((block) => block.baselines)];
  const notes: string[] = [];
  if (withLimit)
    notes.push("× limit: p50 as a multiple of plain C on the same mechanism, measured in the same rounds.");
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
