import { cRatio, sizeName } from "../../harness/results/format.ts";
import type { Interval, Measurement, Placement, Report, Trial, Warning } from "../../harness/results/model.ts";
import { C_COLUMN_NOTE, cRatioNote } from "../c-ratio.ts";
import { canaryText } from "../canary.ts";
import {
  baselineIds,
  CLASS_LABELS,
  classOf,
  PLACEMENT_ORDER,
  peerNote,
  placementTitle,
  rowName,
  TIE_NOTE,
  UNKNOWN_NOTE,
  variantOf,
  WAIT_CLASSES,
  type WaitClass,
} from "../labels.ts";
import { hasRoughP99, missingText, NO_P99, ROUGH_P99 } from "../missing.ts";
import { linesOf, type ViewLine } from "./lines.ts";
import { type PercentilePoint, percentilePoints } from "./percentiles.ts";

/** Input of the page's script: the report, flattened and with histograms decoded to points. Units as in the names. */
export interface View {
  /** Row names, those with a number first: their place decides their look, and only what is drawn needs one. */
  readonly names: readonly { readonly name: string; readonly baseline: boolean }[];
  readonly placements: readonly { readonly id: Placement; readonly label: string }[];
  readonly modes: readonly { readonly id: WaitClass; readonly label: string }[];
  readonly cells: readonly ViewCell[];
  /** Lines over size and load, with what changes along them. */
  readonly lines: readonly ViewLine[];
  readonly floorNs: number | null;
  /** Tail floor of the machine per placement, in words. */
  readonly tailFloors: Readonly<Partial<Record<Placement, string>>>;
  /** Reason why a measured row has no p99, in words. */
  readonly noP99: string;
  /** Meaning of the mark of a p99 from few samples. */
  readonly roughP99: string;
  /** Meanings of the marks of a ranking. */
  readonly tieNote: string;
  readonly unknownNote: string;
  /** Explanation of the column of plain C. */
  readonly cColumnNote: string;
  /** Platform of the run, as Node names it. */
  readonly platform: string;
  /** Selection that the page opens with: the pick's placement and class. */
  readonly start: { readonly placement: string; readonly mode: string; readonly payload: number };
}

export interface ViewCell {
  readonly name: string;
  readonly baseline: boolean;
  readonly placement: Placement;
  readonly mode: WaitClass;
  /** Name of the line that the cell is a point of. `benchmark`, which can be selected, has the whole variant. */
  readonly family: string;
  readonly benchmark: string;
  readonly payload: number;
  /** Name of the size. */
  readonly size: string;
  readonly inFlight: number;
  readonly clients: number;
  readonly rate: number | null;
  readonly status: Measurement["status"];
  readonly reason: string;
  readonly p50: number | null;
  readonly p99: number | null;
  /** True where the p99 comes from so few samples that it is marked. */
  readonly roughP99: boolean;
  readonly p50Interval: Interval | null;
  readonly messagesPerSecond: number | null;
  readonly rateInterval: Interval | null;
  readonly bytesPerSecond: number | null;
  readonly cpuNs: number | null;
  /** Peak memory of both processes; absent where the system has no figure. */
  readonly peakBytes?: number;
  /** Private memory of the server side with one client, of the model that reads it. */
  readonly serverBytes?: number;
  readonly switches: number | null;
  /** Multiple of plain C, in words, and the meaning of the mark beside it; empty where there is none. */
  readonly cRatio: string;
  readonly cNote: string;
  /** Text of a row without a time or a rate. */
  readonly missing: string;
  /** Sentence on a server in another language: which, and its version. */
  readonly peerNote: string;
  /** Share of sent messages that were lost, 0 to 1. */
  readonly lossShare: number | null;
  readonly warnings: readonly Pick<Warning, "id" | "text">[];
  readonly points: readonly PercentilePoint[];
  /** Reason why there are no points although there is a histogram. */
  readonly pointsReason: string;
  readonly trials: readonly ViewTrial[];
}

export interface ViewTrial {
  readonly round: number;
  readonly valid: boolean;
  readonly reason: string;
  readonly p50: number | null;
  readonly rate: number | null;
  /** Costs of both processes; absent where the system has no figure. */
  readonly cpuNs?: number;
  readonly peakBytes?: number;
}

export function viewOf(report: Report): View {
  const baselines = baselineIds(report);
  const rows = withSharedSizes(report.measurements);
  const cells = rows.map((cell) => viewCell(cell, baselines.has(cell.transport)));
  const drawnFirst = cells.toSorted((a, b) => Number(b.status === "measured") - Number(a.status === "measured"));
  const names = [...new Map(drawnFirst.map(({ name, baseline }) => [name, { name, baseline }])).values()];
  const placements = PLACEMENT_ORDER.filter((id) => cells.some((cell) => cell.placement === id));
  const modes = WAIT_CLASSES.filter((id) => cells.some((cell) => cell.mode === id));
  const { pick } = report;
  return {
    names,
    placements: placements.map((id) => ({ id, label: placementTitle(id, report.environment) })),
    modes: modes.map((id) => ({ id, label: CLASS_LABELS[id] })),
    cells,
    lines: linesOf(
      rows.map((row, at) => ({ row, cell: cells[at] as ViewCell })),
      report.curves ?? [],
    ),
    floorNs: report.environment.harnessFloorNs ?? null,
    tailFloors: Object.fromEntries(Object.entries(report.canaries ?? {}).map(([id, one]) => [id, canaryText(one)])),
    noP99: NO_P99,
    roughP99: ROUGH_P99,
    tieNote: TIE_NOTE,
    unknownNote: UNKNOWN_NOTE,
    cColumnNote: C_COLUMN_NOTE,
    platform: report.environment.platform ?? "",
    start: {
      placement: pick?.placement ?? placements[0] ?? "",
      mode: pick ? classOf(pick.mode, pick.workload?.peer) : (modes[0] ?? ""),
      payload: pick?.workload?.payloads?.[0] ?? Math.min(...cells.map((cell) => cell.payload)),
    },
  };
}

/**
 * Gives rows of one kind of value their largest size: sizes differ per codec, and the page shows one at a time.
 */
function withSharedSizes(measurements: readonly Measurement[]): Measurement[] {
  const largest = new Map<string, number>();
  for (const { corpus, payloadBytes } of measurements)
    if (corpus !== undefined) largest.set(corpus, Math.max(payloadBytes, largest.get(corpus) ?? 0));
  return measurements.map((cell) =>
    cell.corpus === undefined ? cell : { ...cell, payloadBytes: largest.get(cell.corpus) ?? cell.payloadBytes },
  );
}

function viewCell(cell: Measurement, baseline: boolean): ViewCell {
  const variant =
    cell.corpus === undefined ? variantOf(cell) : `${variantOf(cell)} (four conversions; size: largest encoding)`;
  const figures = cell.status === "measured" ? cell : undefined;
  const points = figures?.histogram === undefined ? [] : percentilePoints(figures.histogram);
  return {
    name: rowName(cell),
    baseline,
    placement: cell.placement,
    mode: classOf(cell.mode, cell.peer?.language),
    family: familyOf(cell),
    benchmark: variant === "" ? cell.benchmark : `${cell.benchmark}, ${variant}`,
    payload: cell.payloadBytes,
    size: sizeName(cell),
    inFlight: cell.inFlight ?? 1,
    clients: cell.clients ?? 1,
    rate: cell.ratePerSecond ?? null,
    status: cell.status,
    reason: cell.status === "measured" ? "" : cell.reason,
    p50: figures?.latencyNs?.p50 ?? null,
    p99: figures?.latencyNs?.p99 ?? null,
    roughP99: figures !== undefined && hasRoughP99(figures),
    p50Interval: figures?.interval.p50 ?? null,
    messagesPerSecond: figures?.messagesPerSecond ?? null,
    rateInterval: figures?.interval.messagesPerSecond ?? null,
    bytesPerSecond: figures?.bytesPerSecond ?? null,
    cpuNs: figures?.cpuNsPerMessage ?? null,
    ...(figures?.peakMemoryBytes ? { peakBytes: figures.peakMemoryBytes } : {}),
    ...(figures?.serverMemory === undefined ? {} : { serverBytes: figures.serverMemory.one.privateBytes }),
    switches: figures?.contextSwitchesPerMessage ?? null,
    cRatio: figures?.cBaseline ? cRatio(figures.cBaseline) : "",
    cNote: figures === undefined ? "" : (cRatioNote(figures) ?? ""),
    missing: missingText(cell),
    peerNote: peerNote(cell) ?? "",
    lossShare: figures?.lossShare ?? null,
    warnings: cell.warnings.map(({ id, text }) => ({ id, text })),
    points: typeof points === "string" ? [] : points,
    pointsReason: typeof points === "string" ? points : "",
    trials: cell.trials.map(viewTrial),
  };
}

function viewTrial(trial: Trial): ViewTrial {
  const { round } = trial;
  if (trial.status !== "valid") return { round, valid: false, reason: trial.reason, p50: null, rate: null };
  const { latencyNs, messagesPerSecond, cpuNsPerMessage, peakMemoryBytes } = trial;
  return {
    ...{ round, valid: true, reason: "", p50: latencyNs?.p50 ?? null, rate: messagesPerSecond },
    ...(cpuNsPerMessage ? { cpuNs: Math.round(cpuNsPerMessage) } : {}),
    ...(peakMemoryBytes ? { peakBytes: peakMemoryBytes } : {}),
  };
}

/** Names a line over depth or load: batched and sliding, fixed and Poisson arrivals each have their own. */
function familyOf({ benchmark, batched, arrivals }: Measurement): string {
  return [benchmark, batched && "batched", arrivals === "poisson" && arrivals].filter(Boolean).join(", ");
}
