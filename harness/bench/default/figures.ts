/** Figures of `bench:default`, from reports alone: nothing here runs or reads anything. */
import { PICK_PAYLOADS } from "../../../scenarios/profiles/default-workload.ts";
import { percent } from "../../results/format.ts";
import type { MeasuredRow, Measurement, Placement, Report } from "../../results/model.ts";
import { median, quantileSorted } from "../../results/quantiles.ts";
import { compareRounds, roundsOf } from "../../results/ranking.ts";
import { type CellFigures, figuresOf, halfWidth, type OverRuns, overRuns, ratios, roundTrips } from "./cells.ts";
import { coverageRows } from "./coverage.ts";
import { COPIED_IDS, type Evidence, type Letter, type Row, type Run, SLOW_ID, SLOW_SHARE } from "./evidence.ts";

const MOST_WALL_S = 70;
const MOST_P50_RATIO = 1.03;
const MOST_BUSY_RATIO = 1.1;
const MOST_NAMED_SHARE = 1 / 3;
const MOST_CPU_RATIO = 1.05;
const MOST_ONE_CPU_WIDTH = 0.05;
const MOST_TWO_CPUS_WIDTH = 0.08;
const C_FACTOR = 1.2;
const MOST_SCATTER = 1.15;
const LEAST_TOLD_SHARE = 0.7;
const MOST_PAIR_S = 0.15;

/** Returns the rows of these letters, in order. */
export function rowsOf(evidence: Evidence, letters: readonly Letter[]): Row[] {
  const rows: Readonly<Record<Letter, (evidence: Evidence) => readonly Row[]>> = {
    a: wallRows,
    b: p50Rows,
    c: cpuRows,
    d: widthRows,
    e: scatterRows,
    f: orderRows,
    g: ({ plain }) => coverageRows(plain),
    h: pairRows,
  };
  return letters.flatMap((letter) => rows[letter](evidence));
}

function wallRows({ plain }: Evidence): Row[] {
  const ids = plain[0]?.report.transports.length ?? 0;
  const row = { letter: "a", what: `plain compare, ${ids} ids`, promised: `at most ${MOST_WALL_S} s` } as const;
  if (plain.length === 0) return [notMeasured(row)];
  const seconds = plain.map(({ wallMs }) => wallMs / 1000);
  const worst = Math.max(...seconds);
  return [judged(row, `${median(seconds).toFixed(1)} s, worst ${worst.toFixed(1)} s`, worst <= MOST_WALL_S)];
}

const p50Of = ({ latencyNs }: MeasuredRow): number | undefined => latencyNs?.p50;
const cpuOf = ({ cpuNsPerMessage }: MeasuredRow): number | null => cpuNsPerMessage;

/** Divides a figure of the round trips on one CPU by that of the reference, in each run. */
function againstReference(
  { reference }: Evidence,
  runs: readonly Run[],
  figureOf: (row: MeasuredRow) => number | null | undefined,
): OverRuns | undefined {
  const settled = figuresOf(
    reference.flatMap(({ report }) => roundTrips(report.measurements, "same-cpu")),
    figureOf,
  );
  return overRuns(
    runs.map(({ report }) => ratios(figuresOf(roundTrips(report.measurements, "same-cpu"), figureOf), settled)),
  );
}

function p50Rows(evidence: Evidence): Row[] {
  const what = "p50 against many messages, one CPU";
  const row = { letter: "b", what, promised: `at most ${MOST_P50_RATIO}` } as const;
  const found = againstReference(evidence, evidence.plain, p50Of);
  // A p50 below the settled one is as wrong as one above it.
  const quiet = judgedOver(row, found, times, (ratio) => Math.max(ratio, 1 / ratio) <= MOST_P50_RATIO);
  return [quiet, busyRow(evidence)];
}

/** Judges p50 beside busy loops: a wrong cell is no fault where a warning of the run names it. */
function busyRow(evidence: Evidence): Row {
  const row = {
    letter: "b",
    what: "the same, a busy loop on each CPU",
    promised: `at most ${MOST_BUSY_RATIO}, without a third that a warning names`,
  } as const;
  const { busy } = evidence;
  const unnamed = busy.map((run) => ({ ...run, report: withoutNamed(run.report) }));
  const found = againstReference(evidence, unnamed, p50Of);
  const all = againstReference(evidence, busy, p50Of);
  if (all === undefined) return notMeasured(row);
  const cells = busy.flatMap(({ report }) => roundTrips(report.measurements, "same-cpu"));
  const named = cells.length - unnamed.flatMap(({ report }) => roundTrips(report.measurements, "same-cpu")).length;
  const share = named / cells.length;
  const ofAll = `${percent(share)} of the cells named (${times(all.middle)} with them)`;
  const seen = `${found === undefined ? "–" : times(found.middle)}, ${ofAll}`;
  return judged(row, seen, (found?.middle ?? 1) <= MOST_BUSY_RATIO && share <= MOST_NAMED_SHARE, all.cells);
}

function withoutNamed(report: Report): Report {
  const isNamed = (row: Measurement): boolean => row.warnings.some(({ id }) => id === "not-settled");
  return { ...report, measurements: report.measurements.filter((row) => !isNamed(row)) };
}

function cpuRows(evidence: Evidence): Row[] {
  const row = { letter: "c", what: "CPU per message against many", promised: `at most ${MOST_CPU_RATIO}` } as const;
  const found = againstReference(evidence, evidence.plain, cpuOf);
  return [judgedOver(row, found, times, (ratio) => ratio <= MOST_CPU_RATIO)];
}

const widthsOf = (rows: readonly Measurement[], placement: Placement): CellFigures =>
  figuresOf(roundTrips(rows, placement), halfWidth);

function widthRows({ plain }: Evidence): Row[] {
  const widths = (placement: Placement): OverRuns | undefined =>
    overRuns(plain.map(({ report }) => widthsOf(report.measurements, placement)));
  const ofC = (placement: Placement): OverRuns | undefined =>
    overRuns(plain.map(({ report }) => widthsOf(report.cBaseline, placement)));
  const [c, most] = [ofC("two-cpus"), Math.max(MOST_TWO_CPUS_WIDTH, C_FACTOR * (ofC("two-cpus")?.middle ?? 0))];
  const one = {
    letter: "d",
    what: "half-width of p50, one CPU",
    promised: `at most ${percent(MOST_ONE_CPU_WIDTH)} (${cWords(ofC("same-cpu"), "C has")})`,
  } as const;
  const two = {
    letter: "d",
    what: "half-width of p50, two CPUs",
    promised: `at most ${percent(most)} (${percent(MOST_TWO_CPUS_WIDTH)}; ${cWords(c, `${C_FACTOR} x C, which has`)})`,
  } as const;
  return [
    judgedOver(one, widths("same-cpu"), percent, (width) => width <= MOST_ONE_CPU_WIDTH),
    judgedOver(two, widths("two-cpus"), percent, (width) => width <= most),
  ];
}

/** Adds the C baseline's figure of the same rounds: where plain C scatters as much, the machine is the reason. */
function cWords(c: OverRuns | undefined, words: string): string {
  return c === undefined ? "no C baseline" : `${words} ${percent(c.middle)}`;
}

function scatterRows({ plain }: Evidence): Row[] {
  const what = "third quartile through first of one-way trials";
  const row = { letter: "e", what, promised: `at most ${MOST_SCATTER}` } as const;
  const found = overRuns(
    plain.map(({ report }) =>
      figuresOf(
        report.measurements.filter((row) => row.status === "measured").filter(({ model }) => model === "stream"),
        scatterOf,
      ),
    ),
  );
  return [judgedOver(row, found, times, (scatter) => scatter <= MOST_SCATTER)];
}

function scatterOf({ trials }: Measurement): number | undefined {
  const rates = trials.filter((trial) => trial.status === "valid").map(({ messagesPerSecond }) => messagesPerSecond);
  const sorted = rates.sort((a, b) => a - b);
  return sorted.length === 0 ? undefined : quantileSorted(sorted, 0.75) / quantileSorted(sorted, 0.25);
}

function orderRows({ plain, slow }: Evidence): Row[] {
  return [samePickRow(plain), slowCopyRow(slow)];
}

/** Counts the runs whose pick is that of most runs or, by their sentence, not distinguishable from it. */
export function samePickRow(plain: readonly Run[]): Row {
  const row = { letter: "f", what: "same pick, or a tie", promised: "every run" } as const;
  // Ties of a run that cannot tell are due to too few rounds: they are no agreement.
  const picks = plain.map(({ report: { pick } }) => (pick?.verdict === "cannot-tell" ? null : pick));
  const counts = Map.groupBy(picks, (found) => found?.transport ?? "no pick");
  const [usual] = [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? [];
  if (usual === undefined) return notMeasured(row);
  const agreeing = picks.filter(
    (found) => found?.transport === usual || [...(found?.ties ?? []), ...(found?.immaterial ?? [])].includes(usual),
  ).length;
  const ties = picks.filter((found) => (found?.ties.length ?? 0) > 0).length;
  const named = [...counts].map(([id, runs]) => `${runs.length} ${id}`).join(", ");
  return judged(row, `${agreeing} of ${plain.length} (${named}; ${ties} with ties)`, agreeing === plain.length);
}

function slowCopyRow(slow: readonly Run[]): Row {
  const what = `unix told from a copy ${SLOW_SHARE * 100} % slower, one CPU`;
  const row = { letter: "f", what, promised: `${LEAST_TOLD_SHARE * 100} % of the runs, none wrong` } as const;
  const orders = slow.flatMap(({ report }) => orderOfCopy(report) ?? []);
  if (orders.length === 0) return notMeasured(row);
  const [told, wrong] = (["told", "wrong"] as const).map((order) => orders.filter((each) => each === order).length);
  const seen = `${told} of ${slow.length}, ${wrong} the wrong way`;
  return judged(row, seen, wrong === 0 && (told ?? 0) >= LEAST_TOLD_SHARE * slow.length);
}

/** Orders these two by the rule that orders all tables; undefined where one of them was not measured. */
function orderOfCopy({ measurements }: Report): "told" | "tie" | "wrong" | undefined {
  const rows = roundTrips(measurements, "same-cpu").filter(
    ({ mode, payloadBytes }) => mode === "event" && PICK_PAYLOADS.includes(payloadBytes),
  );
  const unix = rows.filter(({ transport }) => COPIED_IDS.includes(transport));
  const copy = rows.filter(({ transport }) => transport === SLOW_ID);
  if (unix.length === 0 || unix.length !== copy.length) return undefined;
  const { interval } = compareRounds(roundsOf(copy), roundsOf(unix));
  if (interval === null) return "tie";
  return interval[0] > 1 ? "told" : interval[1] < 1 ? "wrong" : "tie";
}

function pairRows({ pairMs }: Evidence): Row[] {
  const row = { letter: "h", what: "starting a pair", promised: `at most ${MOST_PAIR_S} s` } as const;
  if (pairMs === null) return [notMeasured(row)];
  return [judged(row, `${(pairMs / 1000).toFixed(3)} s`, pairMs <= MOST_PAIR_S * 1000)];
}

const times = (ratio: number): string => ratio.toFixed(3);

/** Judges the middle over the runs; the best and the worst run are printed beside it. */
function judgedOver(
  row: Pick<Row, "letter" | "what" | "promised">,
  found: OverRuns | undefined,
  inWords: (figure: number) => string,
  holds: (middle: number) => boolean,
): Row {
  if (found === undefined) return notMeasured(row);
  const { middle, range, cells } = found;
  return judged(row, `${inWords(middle)} (runs ${range.map(inWords).join(" to ")})`, holds(middle), cells);
}

function judged(
  row: Pick<Row, "letter" | "what" | "promised">,
  seen: string,
  holds: boolean,
  cells?: CellFigures,
): Row {
  return { ...row, seen, verdict: holds ? "holds" : "MISSED", ...(cells === undefined ? {} : { cells }) };
}

function notMeasured(row: Pick<Row, "letter" | "what" | "promised">): Row {
  return { ...row, seen: "", verdict: "not measured" };
}
