import { mixText, recordedText, visible } from "../harness/results/format.ts";
import { ofNodeClients } from "../harness/results/languages.ts";
import type { Interval, MeasuredRow, Measurement, Report } from "../harness/results/model.ts";
import { blocksOf, type RankedRow } from "./blocks.ts";
import { baselineIds } from "./labels.ts";
import type { MachineReport } from "./side-by-side.ts";

type Value = string | number | boolean | null | undefined;

/** One cell of a report, with its place in its table where it has one. */
interface Line {
  readonly row: Measurement;
  readonly ranked: RankedRow | undefined;
  readonly isBaseline: boolean;
}

type Column = readonly [name: string, value: (line: Line) => Value];

const WHAT: readonly Column[] = [
  ["id", ({ row }) => row.transport],
  ["mode", ({ row }) => row.mode],
  ["placement", ({ row }) => row.placement],
  ["benchmark", ({ row }) => row.benchmark],
  ["payload_bytes", ({ row }) => row.payloadBytes],
  ["clients", ({ row }) => row.clients],
  ["rate_per_second", ({ row }) => row.ratePerSecond],
  ["arrivals", ({ row }) => row.arrivals],
  ["in_flight", ({ row }) => row.inFlight],
  ["batched", ({ row }) => row.batched],
  ["codec", ({ row }) => row.codec],
  ["corpus", ({ row }) => row.corpus],
  ["messages_sent", ({ row }) => (row.recorded ? recordedText(row.recorded) : row.mix && mixText(row.mix))],
  ["work_us", ({ row }) => row.workMicros],
  ["server_language", ({ row }) => row.peer?.language],
  ["client_language", ({ row }) => row.client?.language ?? "node"],
  ["baseline", ({ isBaseline }) => isBaseline],
  ["status", ({ row }) => row.status],
  ["reason", ({ row }) => (row.status === "measured" ? "" : row.reason)],
  ["valid_trials", ({ row }) => row.trials.filter(({ status }) => status === "valid").length],
  ["trials", ({ row }) => row.trials.length],
];

const FIGURES: readonly Column[] = [
  ...ranged(
    "p50_ns",
    ({ latencyNs }) => latencyNs?.p50,
    ({ interval }) => interval.p50,
  ),
  ...ranged(
    "p99_ns",
    ({ latencyNs }) => latencyNs?.p99,
    ({ interval }) => interval.p99,
  ),
  ...ranged(
    "messages_per_second",
    (row) => row.messagesPerSecond,
    ({ interval }) => interval.messagesPerSecond,
  ),
  figure("bytes_per_second", ({ bytesPerSecond }) => bytesPerSecond),
  figure("cpu_ns_per_message", ({ cpuNsPerMessage }) => cpuNsPerMessage),
  figure("switches_per_message", ({ contextSwitchesPerMessage }) => contextSwitchesPerMessage),
  figure("peak_memory_bytes", ({ peakMemoryBytes }) => peakMemoryBytes),
  figure("idle_cpu_share", ({ idleCpuShare }) => idleCpuShare),
  figure("lost", ({ lost }) => lost),
  figure("loss_share", ({ lossShare }) => lossShare),
  ["ratio_to_best", ({ ranked }) => ranked?.ratio],
  ["ratio_to_best_low", ({ ranked }) => ranked?.interval?.[0]],
  ["ratio_to_best_high", ({ ranked }) => ranked?.interval?.[1]],
  ["standing", ({ ranked }) => ranked?.standing],
  ...ranged(
    "ratio_to_c",
    ({ cBaseline }) => cBaseline?.ratio,
    ({ cBaseline }) => cBaseline?.interval,
  ),
  ["warnings", ({ row }) => row.warnings.map(({ id }) => id).join(" ")],
];

/** Returns a column of measured rows. */
function figure(name: string, read: (row: MeasuredRow) => Value): Column {
  return [name, ({ row }) => (row.status === "measured" ? read(row) : "")];
}

/** Returns the column of a figure, and those of both ends of its 95 % interval. */
function ranged(
  name: string,
  read: (row: MeasuredRow) => Value,
  intervalOf: (row: MeasuredRow) => Interval | null | undefined,
): Column[] {
  return [
    figure(name, read),
    figure(`${name}_low`, (row) => intervalOf(row)?.[0]),
    figure(`${name}_high`, (row) => intervalOf(row)?.[1]),
  ];
}

const COLUMNS = [...WHAT, ...FIGURES];
const HEAD = COLUMNS.map(([name]) => name);

/**
 * Writes every cell of a report as CSV (RFC 4180): a header, then one row per cell in the order of the report. Units
 * are in the names of the columns, intervals are at 95 %, and what was not measured is empty. Ratio and standing are
 * those of the tables: within one placement, waiting class, benchmark and size.
 */
export function renderCsv(report: Report): string {
  return csvText([HEAD, ...cellsOf(report)]);
}

/** Writes the cells of several machines, each with the name of its machine first. Ratios are within one machine. */
export function renderMachinesCsv(machines: readonly MachineReport[]): string {
  const rows = machines.flatMap(({ name, report }) => cellsOf(report).map((cells) => [name, ...cells]));
  return csvText([["machine", ...HEAD], ...rows]);
}

function csvText(rows: readonly (readonly Value[])[]): string {
  return rows.map((values) => `${values.map(field).join(",")}\r\n`).join("");
}

function cellsOf(report: Report): Value[][] {
  const ranked = new Map(
    blocksOf(ofNodeClients(report)).flatMap((block) => block.ranked.map((row) => [row.cell, row] as const)),
  );
  const baselines = baselineIds(report);
  return report.measurements.map((row) => {
    const line = {
      row,
      ranked: row.status === "measured" ? ranked.get(row) : undefined,
      isBaseline: baselines.has(row.transport),
    };
    return COLUMNS.map(([, read]) => read(line));
  });
}

/** First characters of texts that a spreadsheet would run as a formula. */
const FORMULA = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/** Formats a value; quotes a text where needed, and puts an apostrophe before one that looks like a formula. */
function field(value: Value): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  if (typeof value === "boolean") return String(value);
  const text = visible(value ?? "").trim();
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
