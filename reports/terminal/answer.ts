import { isAtLoad } from "../../harness/pick/candidates.ts";
import { METRICS, type Metric } from "../../harness/pick/metric.ts";
import { ABSENT, cRatio, oneLine, ratio, ratioRange, sizeName } from "../../harness/results/format.ts";
import { ofNodeClients } from "../../harness/results/languages.ts";
import type { MeasuredRow, Measurement, Pick, Report } from "../../harness/results/model.ts";
import { median } from "../../harness/results/quantiles.ts";
import { type Comparison, rankByRounds, roundsOf } from "../../harness/results/ranking.ts";
import { excludedIn, ruledOut } from "../../harness/results/standings.ts";
import { PROGRAM } from "../../transports/contract/capabilities.ts";
import {
  CLASS_LABELS,
  classOf,
  MODE_LABELS,
  noPickReason,
  OTHER_SERVER,
  placementTitle,
  quickNote,
} from "../labels.ts";
import { ruledOutByNeeds } from "../ruled-out.ts";
import { serverCosts } from "../server-costs.ts";
import { forTerminal } from "./border.ts";
import {
  type Column,
  cut,
  NO_ROOM,
  paint,
  renderTable,
  type TableRow,
  type TerminalOptions,
  widthLimit,
  wrap,
} from "./table.ts";

/** Number of lines that each part keeps, however long the others are. */
const LEAST_LINES = 2;
/** Indent of the further lines of a text. */
const HANGING = "    ";
const MORE = "more with --tables and in the report";

/**
 * Returns the answer of a comparison: the pick with its reasons, one table over the sizes of the question, the other
 * classes, and what is out and why. Lines that do not fit are counted.
 *
 * @param lines largest number of lines
 */
export function answer(raw: Report, options: TerminalOptions = {}, lines = 24): string {
  const report = forTerminal(ofNodeClients(raw));
  const { pick } = report;
  const width = widthLimit(options);
  if (pick === null || pick === undefined) {
    const head = paint("yellow", `No pick: ${noPickReason(report)}.`, options);
    // A pick lists them as ruled out.
    const refuted = excludedIn(report).byChecks.map(ruledOut).map(ruledOutText);
    return [
      head,
      ...fitted([[...refuted, ...missingOf(report), ...ruledOutByNeeds(report)].map(entry)], lines - 1, width),
    ].join("\n");
  }
  const sentence = wrap(oneLine(pick.sentence), width).map((line) => paint("bold", line, options));
  const parts = [
    (pick.reasons ?? []).map((reason) => entry(`- ${reason}`)),
    ["", ...table(report, pick, options)],
    [
      ...(pick.alternatives ?? []).map((other) => `${MODE_LABELS[other.mode] ?? other.mode}: ${other.sentence}`),
      ...(pick.otherServers ?? []).map(({ sentence }) => `${OTHER_SERVER}: ${sentence}`),
    ].map(entry),
    serverCosts(report).map(entry),
    [...outOf(pick), ...ruledOutByNeeds(report)].map(entry),
  ];
  return [...sentence, ...fitted(parts, lines - sentence.length, width)].join("\n");
}

/** Text that is cut to one line, or takes as many lines as it needs. */
interface Entry {
  readonly text: string;
}

const entry = (text: string): Entry => ({ text: oneLine(text) });

/** Wraps texts that are too long for one line while there is room, the first ones first. Cuts the others. */
function written(parts: readonly (readonly (string | Entry)[])[], room: number, width: number): string[][] {
  let spare = room - parts.flat().length;
  return parts.map((lines) =>
    lines.flatMap((line): string[] => {
      if (typeof line === "string") return [line];
      const [first = "", ...rest] = wrap(line.text, width - HANGING.length);
      if (rest.length > spare) return [cut(`  ${line.text}`, width)];
      spare -= rest.length;
      return [`  ${first}`, ...rest.map((text) => HANGING + text)];
    }),
  );
}

/** Shortens the longest parts until all fit, and counts what is left out of each. */
function fitted(entries: readonly (readonly (string | Entry)[])[], room: number, width: number): string[] {
  const parts = written(entries, room, width);
  const kept = parts.map((lines) => lines.length);
  const lengthOf = (part: number): number => {
    const lines = kept[part] as number;
    return lines + (lines < (parts[part]?.length ?? 0) ? 1 : 0);
  };
  const total = (): number => kept.reduce((sum, _, part) => sum + lengthOf(part), 0);
  while (total() > room) {
    const longest = kept.indexOf(Math.max(...kept));
    if ((kept[longest] as number) <= LEAST_LINES) break;
    kept[longest] = (kept[longest] as number) - 1;
  }
  return parts.flatMap((lines, part) => {
    const left = lines.length - (kept[part] as number);
    return left > 0 ? [...lines.slice(0, kept[part]), `  … ${left} ${MORE}`] : lines;
  });
}

function outOf({ ruledOut: out = [], notExamined = [] }: Pick): string[] {
  return [
    ...out.map(ruledOutText),
    ...notExamined.map(({ transport, reason }) => `not examined here: ${transport}: ${reason}`),
  ];
}

function ruledOutText({ transport, reason }: Pick["ruledOut"][number]): string {
  return `ruled out: ${transport}: ${reason}`;
}

/** Returns what each transport lacks in a run without a pick; names its ways of waiting where their reasons differ. */
function missingOf({ measurements }: Report): string[] {
  const lacking = measurements.flatMap((row) => (row.status === "measured" ? [] : [row]));
  const texts = [...Map.groupBy(lacking, ({ transport }) => transport)].flatMap(([transport, rows]) => {
    const isOne = new Set(rows.map(({ reason }) => reason)).size === 1;
    return rows.map(({ mode, reason, status }) => {
      const name = isOne ? transport : `${transport} (${MODE_LABELS[mode] ?? mode})`;
      return `${name}: ${reason ?? status}`;
    });
  });
  return [...new Set(texts)];
}

/** Writes a row per candidate of the pick's class, fastest first: for each size its figure and ratios to best and C. */
function table(report: Report, pick: Pick, options: TerminalOptions): string[] {
  const { payloads, placement } = pick.workload;
  const bySize = payloads.map((size) => rowsAt(report, pick, size));
  const isAboutTime = metricOf(pick) === METRICS.p50;
  const hasC = bySize.some((rows) => [...rows.values()].some(({ cell }) => cell.cBaseline !== undefined));
  const quick = quickNote(report);
  const place = placementTitle(placement, report.environment);
  const waits = CLASS_LABELS[classOf(pick.mode, pick.workload.peer)];
  const parts = [place, waits ?? pick.mode, metricOf(pick).noun, ...(quick === "" ? [] : [quick])];
  const head = wrap(parts.join(" · "), widthLimit(options)).map((line) => paint("dim", line, options));
  const full = rendered(pick, bySize, hasC && isAboutTime, options);
  // The column appears at all sizes or at none. At some only, it would look like an oversight.
  const fits = !full.some((line) => line.includes(NO_ROOM));
  return [...head, ...(fits ? full : rendered(pick, bySize, false, options))];
}

function rendered(
  pick: Pick,
  bySize: readonly Map<string, SizeRow>[],
  hasC: boolean,
  options: TerminalOptions,
): string[] {
  const columns: Column[] = [
    { title: "", align: "left", shrink: "cut" },
    ...pick.workload.payloads.flatMap((size): Column[] => [
      { title: sizeName({ ...pick.workload, payloadBytes: size }), align: "right" },
      { title: "ratio 95 %", align: "right" },
      ...(hasC ? [{ title: "× C", align: "right", drop: 1 } as const] : []),
    ]),
    { title: "", align: "left" },
  ];
  const rows = pick.ranking.map(({ transport }): TableRow => {
    const cells = bySize.flatMap((found) => cellsOf(found.get(transport), pick, hasC));
    const style = transport === pick.transport ? { style: "green" as const } : {};
    return { cells: [`  ${transport}`, ...cells, markOf(pick, transport)], ...style };
  });
  return renderTable(columns, rows, options).split("\n");
}

/** Returns the mark of a candidate: the pick, a tie, or a difference that does not matter or is not shown to. */
function markOf({ transport, ties, immaterial = [], ranking }: Pick, id: string): string {
  if (id === transport) return "pick";
  if (ties.includes(id)) return "= tie";
  if (!immaterial.includes(id)) return "";
  const unclear = ranking.some((row) => row.transport === id && row.request?.matters === "unclear");
  return unclear ? "~ may matter" : "~ immaterial";
}

interface SizeRow {
  readonly cell: MeasuredRow;
  readonly comparison: Comparison;
}

/** True for a row of the server that the pick is about; a program of the user's is the one server it has. */
function isOf({ workload }: Pick, { peer }: Measurement): boolean {
  return workload.peer === undefined || [workload.peer, PROGRAM].includes(peer.language);
}

/** Ranks the candidates at one size by the metric of the pick. */
function rowsAt({ measurements }: Report, pick: Pick, size: number): Map<string, SizeRow> {
  const { benchmark = "round-trip" } = pick.workload;
  const { cost } = metricOf(pick);
  const contenders = measurements.flatMap((cell) => {
    const isHere =
      cell.benchmark === benchmark &&
      cell.placement === pick.placement &&
      cell.mode === pick.mode &&
      isAtLoad(cell, pick.workload);
    const isItsServer = isOf(pick, cell);
    const isRanked = pick.ranking.some(({ transport }) => transport === cell.transport);
    if (cell.status !== "measured" || cell.payloadBytes !== size || !isHere || !isItsServer || !isRanked) return [];
    const rounds = roundsOf([cell], cost);
    return rounds.size === 0 ? [] : [{ name: cell.transport, cell, rounds, typical: median([...rounds.values()]) }];
  });
  const ranked = rankByRounds(contenders);
  return new Map(ranked.map(({ row, comparison }) => [row.name, { cell: row.cell, comparison }]));
}

function cellsOf(row: SizeRow | undefined, pick: Pick, hasC: boolean): string[] {
  if (row === undefined) return [ABSENT, ABSENT, ...(hasC ? [ABSENT] : [])];
  const { interval, ratio: times } = row.comparison;
  const range = interval === null || times === 1 ? "" : ratioRange(interval);
  const figures = [metricOf(pick).show(row.cell), `${ratio(times)} ${range.padStart(9)}`];
  return [...figures, ...(hasC ? [cRatio(row.cell.cBaseline)] : [])];
}

const metricOf = ({ workload }: Pick): Metric => METRICS[workload.optimize ?? "p50"];
