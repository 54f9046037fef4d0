import type { MeasuredRow, Measurement, Placement, Report, Row } from "../../results/model.ts";
import { median } from "../../results/quantiles.ts";

/** Figure of each cell, by its name (`unix event 64 B on one CPU`). */
export type CellFigures = ReadonlyMap<string, number>;

const PLACEMENT_WORDS: Readonly<Record<Placement, string>> = {
  "same-cpu": "one CPU",
  "two-cpus": "two CPUs",
  unpinned: "unpinned",
};

/** Returns the name of a cell, the same in every report. */
export function cellName({ transport, mode, payloadBytes, placement, benchmark, peer }: Row): string {
  const server = peer.language === "node" ? "" : ` ${peer.language}`;
  return `${transport} ${mode}${server} ${payloadBytes} B ${PLACEMENT_WORDS[placement]} ${benchmark}`;
}

/** Returns rows of one request at a time; those of the C baseline have another benchmark name. */
export function roundTrips(rows: readonly Measurement[], placement: Placement): MeasuredRow[] {
  return rows
    .filter((row) => row.status === "measured")
    .filter((row) => row.model === "ping-pong" && row.placement === placement);
}

/** Returns one figure of each of these rows; undefined leaves a row out. */
export function figuresOf(
  rows: readonly MeasuredRow[],
  figureOf: (row: MeasuredRow) => number | null | undefined,
): Map<string, number> {
  return new Map(
    rows.flatMap((row) => {
      const figure = figureOf(row);
      return typeof figure === "number" && Number.isFinite(figure) ? [[cellName(row), figure] as const] : [];
    }),
  );
}

/** Returns half the width of the interval of p50 over p50. */
export function halfWidth({ interval: { p50: found }, latencyNs }: MeasuredRow): number | undefined {
  return found === undefined || latencyNs === undefined ? undefined : (found[1] - found[0]) / 2 / latencyNs.p50;
}

/** Summary of one figure over several runs. */
export interface OverRuns {
  /** Median over runs of the median over cells. */
  readonly middle: number;
  /** Medians over cells of the best and the worst run. */
  readonly range: readonly [least: number, most: number];
  /** Median over runs, by cell. */
  readonly cells: CellFigures;
}

/** Summarizes a figure; undefined: no run has a cell with it. */
export function overRuns(runs: readonly CellFigures[]): OverRuns | undefined {
  const medians = runs.filter(({ size }) => size > 0).map((cells) => median([...cells.values()]));
  if (medians.length === 0) return undefined;
  return {
    middle: median(medians),
    range: [Math.min(...medians), Math.max(...medians)],
    cells: new Map([...valuesByCell(runs)].map(([name, values]) => [name, median(values)])),
  };
}

function valuesByCell(runs: readonly CellFigures[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [name, value] of runs.flatMap((cells) => [...cells])) {
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return found;
}

/** Divides the figure of each cell of `run` by that in `reference`; cells of one side alone are left out. */
export function ratios(run: CellFigures, reference: CellFigures): Map<string, number> {
  return new Map(
    [...run].flatMap(([name, value]) => {
      const other = reference.get(name);
      return other === undefined || other === 0 ? [] : [[name, value / other] as const];
    }),
  );
}

/** Returns the parts of a run's time, ms, in order; the last one is the remainder. */
export function phasesOf({ phases, measurements }: Report, wallMs: number): ReadonlyMap<string, number> | undefined {
  if (phases === undefined) return undefined;
  const { checksMs, calibrationMs, roundsMs } = phases;
  const windowsMs = measurements.reduce((sum, row) => sum + windowsMsOf(row), 0);
  return new Map([
    ["checks", checksMs],
    ["calibration", calibrationMs],
    ["timed windows", windowsMs],
    ["rest of the rounds", roundsMs - windowsMs],
    ["start and report", wallMs - checksMs - calibrationMs - roundsMs],
  ]);
}

function windowsMsOf({ messages, trials }: Measurement): number {
  if (messages === null) return 0;
  return trials
    .filter((trial) => trial.status === "valid")
    .reduce(
      (sum, { messagesPerSecond }) => sum + (messagesPerSecond > 0 ? (messages / messagesPerSecond) * 1000 : 0),
      0,
    );
}
