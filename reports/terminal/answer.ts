import { METRICS } from "../../harness/pick/metric.ts";
import { shellWord, typed } from "../../harness/results/command-line.ts";
import { ABSENT, cRatio, oneLine, ratio, ratioRange, sizeName, visible } from "../../harness/results/format.ts";
import { ofNodeClients } from "../../harness/results/languages.ts";
import type { MeasuredRow, Pick, Report } from "../../harness/results/model.ts";
import { median } from "../../harness/results/quantiles.ts";
import { type Comparison, rankByRounds, roundsOf } from "../../harness/results/ranking.ts";
import { excludedIn, ruledOut } from "../../harness/results/standings.ts";
import {
  CLASS_LABELS,
  classOf,
  MODE_LABELS,
  noPickReason,
  OTHER_SERVER,
  placementTitle,
  quickNote,
} from "../labels.ts";
import { isOfPick, metricOf, type PickStanding, pickStanding } from "../pick-words.ts";
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

/** Indent of the further lines of a text. */
const HANGING = "    ";

/**
 * Returns the answer of a comparison: the pick with its reasons, one table over the sizes of the question, the other
 * classes, and what is out and why. Lines that do not fit are counted.
 *
 * @param lines largest number of lines
 * @param path path of the stored report; undefined where it is the one that `report` reads by default
 */
export function answer(raw: Report, options: TerminalOptions = {}, lines = 24, path?: string): string {
  const report = forTerminal(ofNodeClients(raw));
  const { pick } = report;
  const width = widthLimit(options);
  const more = `; all tables: ${visible(typed("report", path ? [shellWord(path)] : [], raw.startedFrom).join(" "))}`;
  if (pick === null || pick === undefined) {
    const head = paint("yellow", `No pick: ${noPickReason(report)}.`, options);
    // A pick lists them as ruled out.
    const refuted = excludedIn(report).byChecks.map(ruledOut).map(ruledOutText);
    return [
      head,
      ...fitted([[...refuted, ...missingOf(report), ...ruledOutByNeeds(report)].map(entry)], lines - 1, width, more),
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
  return [...sentence, ...fitted(parts, lines - sentence.length, width, more)].join("\n");
}

/** Text that takes as many lines as it needs. */
interface Entry {
  readonly text: string;
}

const entry = (text: string): Entry => ({ text: oneLine(text) });

/** Lines of an answer that belong together; its last ones are left out where there is no room. */
interface Part {
  /** Each entry whole, in as many lines as it needs. */
  readonly entries: readonly (readonly string[])[];
  /** True for the table, which is shortened last: it is what a reader compares. */
  readonly isTable: boolean;
  kept: number;
}

function partOf(lines: readonly (string | Entry)[], width: number): Part {
  const entries = lines.map((line) => (typeof line === "string" ? [line] : written(line, width)));
  return { entries, isTable: lines.some((line) => typeof line === "string"), kept: entries.length };
}

function written({ text }: Entry, width: number): string[] {
  const [first = "", ...rest] = wrap(text, width - HANGING.length);
  return [`  ${first}`, ...rest.map((line) => HANGING + line)];
}

const keptOf = ({ entries, kept }: Part): (readonly string[])[] => entries.slice(0, kept);
const linesOf = (part: Part): number => keptOf(part).flat().length;

/**
 * Leaves out whole entries, the last of the longest part first, until all fit; counts what is left out.
 *
 * @param more end of the line with their number, a command; never cut, since half a command is another command
 */
function fitted(texts: readonly (readonly (string | Entry)[])[], room: number, width: number, more: string): string[] {
  const parts = texts.map((lines) => partOf(lines, width));
  const leftOut = (): number => parts.reduce((sum, { entries, kept }) => sum + entries.length - kept, 0);
  const total = (): number => parts.reduce((sum, part) => sum + linesOf(part), leftOut() > 0 ? 1 : 0);
  const shorten = (candidates: readonly Part[]): void => {
    while (total() > room) {
      const [longest] = candidates.filter(({ kept }) => kept > 1).toSorted((a, b) => linesOf(b) - linesOf(a));
      if (longest === undefined) return;
      longest.kept--;
    }
  };
  shorten(parts.filter(({ isTable }) => !isTable));
  shorten(parts.filter(({ isTable }) => isTable));
  const isTooLong = total() > room;
  const lines = parts.flatMap((part) =>
    keptOf(part).flatMap((entry) => (isTooLong && entry.length > 1 ? [cut(entry.join(" "), width)] : entry)),
  );
  const counted = `  … ${leftOut()} more in the report`;
  const last = counted.length + more.length <= width ? counted + more : counted;
  return leftOut() > 0 ? [...lines, last] : lines;
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
  const rows = pick.ranking.map((ranked): TableRow => {
    const { transport } = ranked;
    const cells = bySize.flatMap((found) => cellsOf(found.get(transport), pick, hasC));
    const style = transport === pick.transport ? { style: "green" as const } : {};
    return { cells: [`  ${transport}`, ...cells, MARKS[pickStanding(pick, ranked)]], ...style };
  });
  return renderTable(columns, rows, options).split("\n");
}

/** Marks of the candidates beside the pick. */
const MARKS: Readonly<Record<PickStanding, string>> = {
  pick: "pick",
  tie: "= tie",
  immaterial: "~ immaterial",
  "may-matter": "~ may matter",
  behind: "",
  unknown: "?",
};

interface SizeRow {
  readonly cell: MeasuredRow;
  readonly comparison: Comparison;
}

/** Ranks the candidates at one size by the metric of the pick. */
function rowsAt({ measurements }: Report, pick: Pick, size: number): Map<string, SizeRow> {
  const { cost } = metricOf(pick);
  const contenders = measurements.flatMap((cell) => {
    const isHere = cell.mode === pick.mode && cell.payloadBytes === size && isOfPick(pick, cell);
    const isRanked = pick.ranking.some(({ transport }) => transport === cell.transport);
    if (cell.status !== "measured" || !isHere || !isRanked) return [];
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
