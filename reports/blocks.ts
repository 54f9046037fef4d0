import { quantity } from "../harness/results/format.ts";
import type { Interval, MeasuredRow, Measurement, Placement, Report } from "../harness/results/model.ts";
import { type Rounds, rankByRounds, roundsOf, type Standing } from "../harness/results/ranking.ts";
import type { WaitMode } from "../transports/contract/capabilities.ts";

import {
  baselineIds,
  classOf,
  PLACEMENT_ORDER,
  rowName,
  sizeText,
  variantOf,
  WAIT_CLASSES,
  type WaitClass,
} from "./labels.ts";

/** Figure that ranks a block: round-trip p50, or messages per second where the model is one-way. */
export type Metric = "p50" | "messagesPerSecond";

export interface RankedRow {
  readonly name: string;
  readonly cell: MeasuredRow;
  readonly value: number;
  /** Cost (p50, or 1 / rate) as a multiple of that of the best row in the same rounds; 1 for the best. */
  readonly ratio: number;
  /** 95 % interval of the ratio; null for the best and where the two have fewer than 6 rounds in common. */
  readonly interval: Interval | null;
  readonly standing: Standing;
  readonly throughput: Throughput;
}

export interface PlainRow {
  readonly name: string;
  readonly cell: MeasuredRow;
  readonly throughput: Throughput;
}

/** A row without a number in its table: it was not measured, or its model has neither round trips nor a rate. */
export interface MissingRow {
  readonly name: string;
  readonly cell: Measurement;
  /** Name of a row that stands for several loads with the same reason: `16 loads from 1.00 k/s to 200 k/s`. */
  readonly loads?: string;
}

/** Messages per second of a row, and the model it comes from. A stream shows capacity better than round trips do. */
export interface Throughput {
  readonly messagesPerSecond: number | null;
  readonly interval: Interval | undefined;
  readonly source: "stream" | "own";
  /** Reason why the stream cell has no number although it was asked for. */
  readonly streamReason?: string;
}

/** Comparable cells: one placement, waiting class, benchmark, variant and size (or kind of value). */
export interface Block {
  readonly placement: Placement;
  readonly mode: WaitMode;
  readonly waits: WaitClass;
  readonly benchmark: string;
  readonly variant: string;
  /** Size of the messages; for kinds of values, whose sizes differ from codec to codec, the largest. */
  readonly payloadBytes: number;
  readonly metric: Metric;
  readonly ranked: readonly RankedRow[];
  /** Transports without a process boundary: for comparison, never ranked. */
  readonly baselines: readonly PlainRow[];
  /** Rows without a number, each with its reason. */
  readonly missing: readonly MissingRow[];
}

const FOLDED_BENCHMARK = "throughput";
const LEADING_BENCHMARK = "round-trip";

/**
 * Groups all measurements into comparable blocks: by placement, class, benchmark, variant, then size.
 * The rate of a plain `throughput` cell joins the `round-trip` row beside it; without such a row it stands alone.
 */
export function blocksOf(report: Report): Block[] {
  const baselines = baselineIds(report);
  const streams = new Map(
    report.measurements.filter((cell) => isPlain(cell, FOLDED_BENCHMARK)).map((cell) => [place(cell), cell]),
  );
  const leading = new Set(report.measurements.filter((cell) => isPlain(cell, LEADING_BENCHMARK)).map(place));
  const groups = new Map<string, Measurement[]>();
  for (const cell of report.measurements) {
    if (isPlain(cell, FOLDED_BENCHMARK) && leading.has(place(cell))) continue;
    const key = JSON.stringify([cell.placement, waitsOf(cell), cell.benchmark, variantOf(cell), sizeOf(cell)]);
    const group = groups.get(key);
    if (group) group.push(cell);
    else groups.set(key, [cell]);
  }
  const blocks = [...groups.values()].map((cells) => blockOf(cells, baselines, streams));
  return withoutRepetition(blocks).toSorted(inReadingOrder);
}

/** Merges rows without a number that differ only in load, into one row of a block of its own. Drops empty blocks. */
function withoutRepetition(blocks: readonly Block[]): Block[] {
  const folded = new Set<MissingRow>();
  const own = [...Map.groupBy(blocks, keyOf).values()].flatMap((group): Block[] => {
    const rated = group.flatMap(({ missing }) => missing.filter(({ cell }) => typeof cell.ratePerSecond === "number"));
    const alike = Map.groupBy(rated, ({ name, cell }) => JSON.stringify([name, cell.status, reasonOf(cell)]));
    const repeated = [...alike.values()].filter((rows) => rows.length > 1);
    for (const row of repeated.flat()) folded.add(row);
    const missing = repeated.map(rowOfLoads);
    return missing.length === 0 ? [] : [{ ...(group[0] as Block), variant: "", ranked: [], baselines: [], missing }];
  });
  const rest = blocks.map((block) => ({ ...block, missing: block.missing.filter((row) => !folded.has(row)) }));
  const hasRows = ({ ranked, baselines, missing }: Block): boolean =>
    ranked.length + baselines.length + missing.length > 0;
  return [...rest.filter(hasRows), ...own];
}

function reasonOf(cell: Measurement): string | undefined {
  return cell.status === "measured" ? undefined : cell.reason;
}

function waitsOf({ mode, peer }: Measurement): WaitClass {
  return classOf(mode, peer?.language);
}

function keyOf({ placement, waits, benchmark, payloadBytes }: Block): string {
  return JSON.stringify([placement, waits, benchmark, payloadBytes]);
}

function rowOfLoads(rows: readonly MissingRow[]): MissingRow {
  const rates = rows.map(({ cell }) => cell.ratePerSecond ?? 0);
  const [least, most] = [Math.min(...rates), Math.max(...rates)].map((rate) => `${quantity(rate)}/s`);
  const range = least === most ? `of ${least}` : `from ${least} to ${most}`;
  return { ...(rows[0] as MissingRow), loads: `${rows.length} loads ${range}` };
}

function blockOf(
  cells: readonly Measurement[],
  baselines: ReadonlySet<string>,
  streams: ReadonlyMap<string, Measurement>,
): Block {
  const first = cells[0] as Measurement;
  const rows = cells.filter((cell) => cell.status === "measured");
  const metric: Metric = rows.some((cell) => cell.latencyNs) ? "p50" : "messagesPerSecond";
  const measured = rows
    .filter((cell) => metricValue(cell, metric) !== undefined)
    .map((cell) => ({ name: rowName(cell), cell, throughput: throughputOf(cell, streams) }));
  const shown = new Set<Measurement>(measured.map(({ cell }) => cell));
  return {
    placement: first.placement,
    mode: first.mode,
    waits: waitsOf(first),
    benchmark: first.benchmark,
    variant: variantOf(first),
    payloadBytes: Math.max(...cells.map((cell) => cell.payloadBytes)),
    metric,
    ranked: rank(
      measured.filter(({ cell }) => !baselines.has(cell.transport)),
      metric,
    ),
    baselines: measured.filter(({ cell }) => baselines.has(cell.transport)),
    missing: cells.filter((cell) => !shown.has(cell)).map((cell) => ({ name: rowName(cell), cell })),
  };
}

/** Sorts best first and gives each row its ratio to the best, by the rule of the pick. */
export function rank(rows: readonly PlainRow[], metric: Metric): RankedRow[] {
  const contenders = rows.map((row) => {
    const value = metricValue(row.cell, metric) ?? Number.NaN;
    return { ...row, value, typical: metric === "p50" ? value : 1 / value, rounds: costsOf(row.cell, metric) };
  });
  return rankByRounds(contenders).map(({ row: { name, cell, throughput, value }, comparison, standing }, index) => ({
    ...{ name, cell, throughput, value, standing },
    ratio: comparison.ratio,
    interval: index === 0 ? null : comparison.interval,
  }));
}

function costsOf(cell: MeasuredRow, metric: Metric): Rounds {
  return roundsOf([cell], (trial) => (metric === "p50" ? trial.latencyNs?.p50 : 1 / trial.messagesPerSecond));
}

export function metricValue(cell: MeasuredRow, metric: Metric): number | undefined {
  return (metric === "p50" ? cell.latencyNs?.p50 : cell.messagesPerSecond) ?? undefined;
}

function throughputOf(cell: MeasuredRow, streams: ReadonlyMap<string, Measurement>): Throughput {
  const stream = isPlain(cell, LEADING_BENCHMARK) ? streams.get(place(cell)) : undefined;
  if (stream?.status === "measured" && stream.messagesPerSecond !== null)
    return { ...rateOf(stream), source: "stream" };
  const own = { ...rateOf(cell), source: "own" } as const;
  return stream && stream.status !== "measured" ? { ...own, streamReason: `${stream.status}: ${stream.reason}` } : own;
}

function rateOf({ messagesPerSecond, interval }: MeasuredRow): Pick<Throughput, "messagesPerSecond" | "interval"> {
  return { messagesPerSecond: messagesPerSecond ?? null, interval: interval.messagesPerSecond };
}

/** Formats the size of a block; empty for a mix, which its variant names. */
export function sizeOfBlock({ ranked, baselines, missing, payloadBytes }: Block): string {
  const [first] = [...ranked, ...baselines, ...missing];
  return sizeText({ ...first?.cell, payloadBytes });
}

/** Returns null for a kind of value: each codec makes another size of it. */
function sizeOf(cell: Measurement): number | null {
  return cell.corpus === undefined ? cell.payloadBytes : null;
}

function isPlain(cell: Measurement, benchmark: string): boolean {
  return cell.benchmark === benchmark && variantOf(cell) === "";
}

/** Identifies a row of a block, whatever the benchmark. */
function place(cell: Measurement): string {
  return JSON.stringify([cell.placement, cell.mode, rowName(cell), cell.payloadBytes]);
}

function inReadingOrder(a: Block, b: Block): number {
  return (
    PLACEMENT_ORDER.indexOf(a.placement) - PLACEMENT_ORDER.indexOf(b.placement) ||
    Number(b.benchmark === LEADING_BENCHMARK) - Number(a.benchmark === LEADING_BENCHMARK) ||
    a.benchmark.localeCompare(b.benchmark) ||
    WAIT_CLASSES.indexOf(a.waits) - WAIT_CLASSES.indexOf(b.waits) ||
    a.variant.localeCompare(b.variant, "en", { numeric: true }) ||
    a.payloadBytes - b.payloadBytes
  );
}
