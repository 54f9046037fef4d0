import { percent } from "../../results/format.ts";
import type { Interval, Report } from "../../results/model.ts";
import { median } from "../../results/quantiles.ts";
import { cellName } from "./cells.ts";
import type { Row, Run } from "./evidence.ts";

const LEAST_COVERAGE = 0.93;
/** Fewest runs: with fewer their median is too near to each of them, which inflates the share. */
const LEAST_RUNS = 8;

/** Figure of one run as it is printed: the value with its interval. */
interface Printed {
  readonly name: string;
  readonly value: number;
  readonly interval: Interval;
}

/** Counts how often a printed interval contains the median over all runs of the same figure: of p50, and of ratios. */
export function coverageRows(runs: readonly Run[]): Row[] {
  return [
    coverageRow("intervals of p50 that cover the median of all runs", runs, p50s),
    coverageRow("the same, ratios to C and to the best", runs, printedRatios),
  ];
}

function coverageRow(what: string, runs: readonly Run[], printedOf: (report: Report) => readonly Printed[]): Row {
  const row = { letter: "g", what, promised: `at least ${percent(LEAST_COVERAGE)}` } as const;
  const groups = Map.groupBy(
    runs.flatMap(({ report }) => printedOf(report)),
    ({ name }) => name,
  );
  // A figure that few runs printed (another pick, another cell) has no meaningful median.
  const kept = [...groups.values()].filter(({ length }) => length > 1 && length >= runs.length / 2);
  const covered = kept.flatMap((group) => {
    const middle = median(group.map(({ value }) => value));
    return group.map(({ interval: [low, high] }) => low <= middle && middle <= high);
  });
  if (covered.length === 0) return { ...row, seen: "", verdict: "not measured" };
  const share = covered.filter(Boolean).length / covered.length;
  const seen = `${percent(share)} of ${covered.length} in ${runs.length} runs`;
  if (runs.length < LEAST_RUNS) return { ...row, seen: `${seen}; needs ${LEAST_RUNS} runs`, verdict: "cannot tell" };
  return { ...row, seen, verdict: share >= LEAST_COVERAGE ? "holds" : "MISSED" };
}

function p50s({ measurements }: Report): Printed[] {
  return measurements.flatMap((row): Printed[] => {
    if (row.status !== "measured") return [];
    const { latencyNs, interval } = row;
    if (latencyNs === undefined || interval.p50 === undefined) return [];
    return [{ name: cellName(row), value: latencyNs.p50, interval: interval.p50 }];
  });
}

function printedRatios({ measurements, pick }: Report): Printed[] {
  const toC = measurements.flatMap((row): Printed[] => {
    const c = row.status === "measured" ? row.cBaseline : undefined;
    return c?.interval ? [{ name: `${cellName(row)} to C`, value: c.ratio, interval: c.interval }] : [];
  });
  const toBest = (pick?.ranking.slice(1) ?? []).flatMap(({ transport, mode, ratio, interval }): Printed[] =>
    interval === null ? [] : [{ name: `${transport} ${mode} to ${pick?.transport}`, value: ratio, interval }],
  );
  return [...toC, ...toBest];
}
