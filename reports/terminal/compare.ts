import {
  ABSENT,
  bytes,
  cRatio,
  duration,
  durationRange,
  oneLine,
  percent,
  quantity,
  ratio,
  ratioRange,
} from "../../harness/results/format.ts";
import { ofNodeClients } from "../../harness/results/languages.ts";
import type { Report } from "../../harness/results/model.ts";
import { type Block, blocksOf, type PlainRow, type RankedRow, sizeOfBlock, type Throughput } from "../blocks.ts";
import { C_COLUMN_NOTE, cRatioNote } from "../c-ratio.ts";
import { canaryText } from "../canary.ts";
import {
  CLASS_LABELS,
  peerNote,
  placementTitle,
  quickNote,
  sizeText,
  TIE_NOTE,
  UNKNOWN_NOTE,
  variantOf,
} from "../labels.ts";
import { hasRoughP99, missingText, NO_P99, p99Text, ROUGH_P99 } from "../missing.ts";
import { forTerminal } from "./border.ts";
import { type Column, paint, renderTable, type TableRow, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const C_COLUMN: Column = { title: "× C", align: "right" };
/** Smallest width with the column of plain C; below it the names would be cut beyond recognition. */
const C_COLUMN_FROM = 100;

/** Costs of a message besides time, shown where there is room. */
const COST_COLUMNS: readonly Column[] = [
  { title: "switches/msg", align: "right", drop: 3 },
  { title: "memory", align: "right", drop: 2 },
  { title: "drift", align: "right", drop: 1 },
];
const COST_COLUMNS_FROM = 132;

const COLUMNS: readonly Column[] = [
  { title: "", align: "left", shrink: "cut" },
  { title: "p50", align: "right" },
  { title: "p50 95 %", align: "right", drop: 6 },
  { title: "ratio 95 %", align: "right" },
  { title: "p99", align: "right" },
  { title: "msg/s ±", align: "right", drop: 5 },
  { title: "CPU/msg", align: "right", drop: 4 },
  { title: "", align: "left" },
];

/** Width of a range. Most intervals are no wider than `18.9–19.8`, most halves than `±12 %`. */
const RANGE_WIDTH = 9;
const HALF_WIDTH = 5;

/** Marks of the standings: words, so that the meaning survives without colour. */
const MARKS = { best: "best", tied: "= tie", behind: "", unknown: "?" } as const;

/**
 * Returns the measurements as tables: one per placement and benchmark, with sections per waiting class and size.
 * Nothing is ranked across placements or classes. Empty where nothing was measured.
 */
export function compareTables(raw: Report, options: TerminalOptions = {}): string {
  const report = forTerminal(ofNodeClients(raw));
  const tables = Map.groupBy(blocksOf(report), (block) => JSON.stringify([block.placement, block.benchmark]));
  return [...tables.values()].map((blocks) => table(report, blocks, options)).join("\n\n");
}

function table(report: Report, blocks: readonly Block[], options: TerminalOptions): string {
  const first = blocks[0] as Block;
  const title = `${placementTitle(first.placement, report.environment)} · ${first.benchmark}`;
  const extra: Extra = {
    cBaseline: widthLimit(options) >= C_COLUMN_FROM && hasCBaseline(blocks),
    costs: widthLimit(options) >= COST_COLUMNS_FROM,
  };
  const rows: TableRow[] = [];
  let waits: string | undefined;
  for (const block of blocks) {
    if (block.waits !== waits) rows.push({ heading: CLASS_LABELS[block.waits], style: ["bold", "cyan"] });
    waits = block.waits;
    rows.push({ heading: ` ${blockTitle(block)}`, style: "dim" }, ...blockRows(block, extra));
  }
  const quick = quickNote(report);
  const head = [paint("bold", title, options), ...(quick === "" ? [] : [paint("yellow", quick, options)])];
  const lines = [...head, renderTable(columns(extra), rows, options)];
  for (const note of [...floorNote(report, blocks), ...footnotes(blocks, extra), ...cBaselineNote(report, blocks)])
    lines.push(...wrap(note, widthLimit(options)).map((text) => paint("dim", text, options)));
  return lines.join("\n");
}

/** Columns that not every table or terminal has room for. */
interface Extra {
  readonly cBaseline: boolean;
  readonly costs: boolean;
}

function columns({ cBaseline, costs }: Extra): readonly Column[] {
  return [
    ...COLUMNS.slice(0, -1),
    ...(cBaseline ? [C_COLUMN] : []),
    ...(costs ? COST_COLUMNS : []),
    ...COLUMNS.slice(-1),
  ];
}

/** Explains a missing column of plain C, only where measuring it was tried and failed. */
function cBaselineNote({ cBaselineReason }: Report, blocks: readonly Block[]): string[] {
  const isRoundTrip = blocks.some(({ benchmark }) => benchmark === "round-trip");
  return isRoundTrip && cBaselineReason?.status === "unavailable"
    ? [`no C baseline: ${oneLine(cBaselineReason.reason)}`]
    : [];
}

function hasCBaseline(blocks: readonly Block[]): boolean {
  return blocks.some(({ ranked, baselines }) =>
    [...ranked, ...baselines].some(({ cell }) => cell.cBaseline !== undefined),
  );
}

/** Notes the tail floor below a table with latencies: that much of a p99 may be due to the machine. */
function floorNote({ canaries }: Report, blocks: readonly Block[]): string[] {
  const first = blocks[0] as Block;
  const canary = canaries?.[first.placement];
  return canary && blocks.some(({ metric, ranked }) => metric === "p50" && ranked.length > 0)
    ? [canaryText(canary)]
    : [];
}

function blockTitle(block: Block): string {
  if (block.variant !== "" && isOfValues(block)) return `${block.variant}: ${sizes(block)}, four conversions included`;
  return [sizeOfBlock(block), block.variant].filter(Boolean).join(", ");
}

function isOfValues({ ranked, baselines, missing }: Block): boolean {
  return [...ranked, ...baselines, ...missing].some(({ cell }) => cell.corpus !== undefined);
}

/** Formats the sizes that the codecs of the block make of one value: `98 B to 160 B`. */
function sizes({ ranked, baselines, missing }: Block): string {
  const known = [...ranked, ...baselines, ...missing].map(({ cell }) => cell.payloadBytes).filter((size) => size > 0);
  if (known.length === 0) return ABSENT;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return least === most ? bytes(most) : `${bytes(least)} to ${bytes(most)}`;
}

function blockRows(block: Block, extra: Extra): TableRow[] {
  const rows: TableRow[] = block.ranked.map((row) => ({
    cells: cells(row, row, extra),
    ...(row.standing === "best" ? { style: "green" as const } : {}),
  }));
  for (const row of block.missing)
    rows.push({
      name: `  ${row.name}`,
      note: missingText(row.cell, row.loads),
      style: row.cell.status === "failed" ? "red" : "dim",
    });
  if (block.baselines.length > 0)
    rows.push(
      { rule: true },
      ...block.baselines.map((row) => ({ cells: cells(row, undefined, extra), style: "dim" as const })),
    );
  return rows;
}

function cells(row: PlainRow, ranked: RankedRow | undefined, extra: Extra): string[] {
  const { latencyNs, interval, cpuNsPerMessage } = row.cell;
  return [
    `  ${row.name}`,
    duration(latencyNs?.p50),
    latencyNs ? durationRange(interval.p50, latencyNs.p50) : ABSENT,
    ranked ? `${ratio(ranked.ratio)} ${ratioRange(ranked.interval).padStart(RANGE_WIDTH)}` : ABSENT,
    p99Text(row.cell),
    rateText(row),
    duration(cpuNsPerMessage),
    ...(extra.cBaseline ? [cRatio(row.cell.cBaseline)] : []),
    ...(extra.costs ? costs(row) : []),
    `${ranked ? MARKS[ranked.standing] : "baseline"}${row.cell.warnings.length > 0 ? " !" : ""}`.trim(),
  ];
}

/** Returns switches (`1.98 + 0.01`: voluntary and involuntary), peak memory of both processes, and drift in a trial. */
function costs({ cell }: PlainRow): string[] {
  const { voluntarySwitchesPerMessage: voluntary, involuntarySwitchesPerMessage: involuntary } = cell;
  const split = typeof voluntary === "number" && typeof involuntary === "number";
  return [
    split ? `${quantity(voluntary)} + ${quantity(involuntary)}` : quantity(cell.contextSwitchesPerMessage),
    bytes(cell.peakMemoryBytes),
    ratio(cell.stationarity?.withinTrial?.ratio),
  ];
}

/** Formats a rate with the distance to the farther end of its 95 % interval, rounded up: `51.2 k  ±4 %`. */
function rateText({ throughput, cell }: PlainRow): string {
  const { messagesPerSecond, interval } = throughput;
  if (messagesPerSecond === null) return ABSENT;
  const half = interval ? Math.max(messagesPerSecond - interval[0], interval[1] - messagesPerSecond) : Number.NaN;
  const range = interval ? `±${Math.ceil((100 * half) / messagesPerSecond)} %` : ABSENT;
  return `${throughputText(throughput, cell.benchmark)} ${range.padStart(HALF_WIDTH)}`;
}

/** Formats a rate: `51.2 k`; a star marks one from round trips, a dagger one whose stream cell failed. */
function throughputText(throughput: Throughput, benchmark: string): string {
  if (throughput.messagesPerSecond === null) return ABSENT;
  const mark = throughput.streamReason ? "†" : throughput.source === "own" && benchmark === "round-trip" ? "*" : "";
  return quantity(throughput.messagesPerSecond) + mark;
}

function footnotes(blocks: readonly Block[], extra: Extra): string[] {
  const ranked = blocks.flatMap((block) => block.ranked);
  const rows = [...ranked, ...blocks.flatMap((block) => block.baselines)];
  const notes: string[] = [];
  if (extra.costs)
    notes.push(
      "switches/msg: voluntary + involuntary; memory: peak of both processes; " +
        "drift: p50 of the second half of a trial divided by the p50 of the first half.",
    );
  if (ranked.some(({ cell }) => cell.latencyNs !== undefined && cell.latencyNs.p99 === undefined)) notes.push(NO_P99);
  if (extra.cBaseline) notes.push(C_COLUMN_NOTE, ...new Set(rows.flatMap(({ cell }) => cRatioNote(cell) ?? [])));
  if (ranked.some(({ cell }) => hasRoughP99(cell))) notes.push(ROUGH_P99);
  if (rows.some(({ throughput }) => throughput.interval !== undefined))
    notes.push("msg/s ±: distance to the farther end of the 95 % interval.");
  if (ranked.some((row) => row.interval !== null))
    notes.push("ratio: relative to the best row, within the same rounds, with its 95 % interval.");
  if (ranked.some((row) => row.standing === "tied")) notes.push(`= ${TIE_NOTE}`);
  if (ranked.some((row) => row.standing === "unknown")) notes.push(UNKNOWN_NOTE);
  if (rows.some((row) => throughputText(row.throughput, row.cell.benchmark).endsWith("*")))
    notes.push("*: rate of round trips, one message at a time; a stream of messages has another rate.");
  notes.push(...new Set(rows.flatMap(({ cell }) => peerNote(cell) ?? [])));
  const warned = rows.flatMap((row) => row.cell.warnings.map(({ text }) => ({ text: oneLine(text), row })));
  for (const [text, group] of Map.groupBy(warned, ({ text }) => text))
    notes.push(`! ${text} (${group.map(({ row }) => nameOf(row)).join(", ")})`);
  for (const row of rows) {
    const more = modelNote(row);
    if (more !== undefined) notes.push(`${row.name}, ${sizeText(row.cell) || "mix"}${loadText(row)}: ${more}`);
  }
  for (const row of rows)
    if (row.throughput.streamReason)
      notes.push(`† ${row.name}, ${bytes(row.cell.payloadBytes)}: the stream ${oneLine(row.throughput.streamReason)}`);
  return notes;
}

/** Names a row: `unix 64 B`; `unix 64 B 50000/s poisson` where that sets rows of one size apart. */
function nameOf({ name, cell }: PlainRow): string {
  return [name, sizeText(cell), variantOf(cell)].filter(Boolean).join(" ");
}

/** Lists what only some models have: phases of a connection, lateness of the driver, loss. */
function modelNote({ cell }: PlainRow): string | undefined {
  const { phasesNs, latenessNs, lossShare } = cell;
  const parts: string[] = [];
  if (phasesNs)
    parts.push(
      Object.entries(phasesNs)
        .map(([name, ns]) => `${name} ${duration(ns)}`)
        .join(", "),
    );
  if (latenessNs)
    parts.push(`the driver was late by ${duration(latenessNs.p50)} (p50) and ${duration(latenessNs.p99)} (p99)`);
  if (lossShare) parts.push(`${percent(lossShare)} lost`);
  return parts.length === 0 ? undefined : parts.join("; ");
}

function loadText({ cell: { ratePerSecond, arrivals } }: PlainRow): string {
  if (ratePerSecond === null || ratePerSecond === undefined) return "";
  return `, ${quantity(ratePerSecond)}/s${arrivals === "poisson" ? " poisson" : ""}`;
}
