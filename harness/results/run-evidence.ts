import type { CellMetric, CellName, Figure, Measured, RunEvidence } from "../../scenarios/evidence.ts";
import { evidenceOf, sameOnThisPlatform } from "./evidence.ts";
import { medianInterval } from "./intervals.ts";
import { ofNodeClients } from "./languages.ts";
import type { Interval, MeasuredRow, Measurement, Placement, Report, ValidTrial } from "./model.ts";
import { median } from "./quantiles.ts";
import { compareRounds, roundsOf } from "./ranking.ts";

/** Parts of a report that claims are judged by. */
export type JudgedReport = Pick<Report, "checks" | "transports" | "measurements" | "environment">;

/** Placements from the one that a claim is about by default to the ones that stand for it. */
const USUAL: readonly Placement[] = ["two-cpus", "same-cpu", "unpinned"];

const VALUES: Readonly<Record<CellMetric, (trial: ValidTrial) => number | null | undefined>> = {
  p50: ({ latencyNs }) => latencyNs?.p50,
  rate: ({ messagesPerSecond }) => messagesPerSecond,
  cpu: ({ cpuNsPerMessage }) => cpuNsPerMessage,
  "idle-cpu": ({ idleCpuShare }) => idleCpuShare,
};

/** Returns checks and measurements of a report as claims read them. */
export function runEvidenceOf(report: JudgedReport): RunEvidence {
  const isIn = (placement: Placement): boolean =>
    report.measurements.some((row) => row.placement === placement && row.status === "measured");
  const usual = USUAL.find(isIn) ?? USUAL[0];
  const rowOf = (cell: CellName): MeasuredRow | Exclude<Measured, { status: "measured" }> => {
    const ids = sameOnThisPlatform(report.transports, cell.transport);
    const placement = cell.placement ?? usual;
    const rows = ofNodeClients(report).measurements.filter(
      (row) => ids.includes(row.transport) && row.placement === placement && isOf(row, cell),
    );
    const [row] = rows.toSorted((a, b) => Number(b.status === "measured") - Number(a.status === "measured"));
    if (row?.status === "measured") return row;
    return row === undefined ? absent(report, cell.transport) : withoutFigure(row.status, row.reason);
  };
  return {
    ...evidenceOf(report),
    cpuModel: report.environment.cpuModel ?? "",
    measured(cell, metric) {
      const row = rowOf(cell);
      return "trials" in row ? figureOf(row, metric) : row;
    },
    ratio(one, other, metric) {
      const rows = [rowOf(one), rowOf(other)] as const;
      const [first, second] = rows;
      if ("trials" in first && "trials" in second) return ratioOf(first, second, metric);
      const lacks = rows.flatMap((row) => ("trials" in row ? [] : [row]));
      return (
        lacks.find(({ status }) => status === "not-examined") ?? (lacks[0] as Exclude<Measured, { figure: Figure }>)
      );
    },
  };
}

function isOf(row: Measurement, cell: CellName): boolean {
  const isPlain = (row.clients ?? 1) === 1 && (row.inFlight ?? 1) === 1 && (row.ratePerSecond ?? null) === null;
  const isSize = cell.corpus === undefined ? row.payloadBytes === cell.payloadBytes : row.corpus === cell.corpus;
  const isCodec = (row.codec ?? "raw") === (cell.codec ?? "raw");
  return (
    row.benchmark === cell.benchmark &&
    row.mode === cell.mode &&
    (row.peer?.language ?? "node") === cell.peer &&
    isPlain &&
    isSize &&
    isCodec
  );
}

/** Returns why there is no row: the transport cannot run on the machine, or the run did not measure it. */
function absent({ transports }: JudgedReport, id: string): Exclude<Measured, { status: "measured" }> {
  const record = transports.find((each) => each.id === id);
  if (record === undefined || record.available) return { status: "not-examined" };
  return { status: "unavailable", reason: record.reason };
}

function withoutFigure(
  status: Exclude<Measurement["status"], "measured">,
  reason: string,
): Exclude<Measured, { status: "measured" }> {
  if (status === "failed") return { status: "not-examined", reason: `its measurement failed: ${reason}` };
  return { status: "unavailable", reason };
}

function figureOf(row: MeasuredRow, metric: CellMetric): Measured {
  const values = row.trials.flatMap((trial) => {
    const value = trial.status === "valid" ? VALUES[metric](trial) : undefined;
    return typeof value === "number" && Number.isFinite(value) ? [value] : [];
  });
  if (values.length === 0) return { status: "not-examined", reason: "no trial has this figure" };
  return { status: "measured", figure: figure(median(values), medianInterval(values)) };
}

function ratioOf(one: MeasuredRow, other: MeasuredRow, metric: CellMetric): Measured {
  const rounds = (row: MeasuredRow) => roundsOf([row], (trial) => VALUES[metric](trial) ?? undefined);
  const { ratio, interval, common } = compareRounds(rounds(one), rounds(other));
  if (common === 0) return { status: "not-examined", reason: "no round measured both" };
  return { status: "measured", figure: figure(ratio, interval ?? undefined) };
}

function figure(value: number, interval: Interval | undefined): Figure {
  return { value, ...(interval === undefined ? {} : { interval }) };
}
