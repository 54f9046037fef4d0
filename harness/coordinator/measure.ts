import type { Place } from "../../transports/contract/transport.ts";
import type { CellPlan, CellResult } from "../process/messages.ts";
import { aggregate } from "../results/aggregate.ts";
import type { Measurement, Trial } from "../results/model.ts";
import { randomFrom, shuffled } from "../results/random.ts";
import { type Arm, type Cell, cellReason } from "./arm.ts";
import { type ArmPace, type PlannedArm, planArms } from "./plan.ts";
import type { Progress } from "./progress.ts";
import type { Brood } from "./run-driver.ts";
import { runArm, toTrial } from "./trial.ts";

export interface MeasureRequest {
  readonly arms: readonly Arm[];
  readonly cells: readonly Cell[];
  readonly trials: number;
  /** For all trials together, calibration included. */
  readonly budgetMs: number;
  /** Instead of a calibrated count. */
  readonly messages?: number;
  readonly seed: number;
}

const CALIBRATE_CELL_MS = 40;
/** Interrupted or broken arms are not worth their time again and again. */
const MAX_FAILED_TRIALS = 2;

/** Everything known of one arm while the rounds go on. */
interface Record {
  readonly arm: Arm;
  readonly trials: Map<Cell, Trial[]>;
  readonly messages: Map<Cell, number>;
  readonly reasons: Map<Cell, string>;
  peer: { language: string; version: string };
  failedTrials: number;
  failure: string | undefined;
}

/** Calibrates, plans, then runs rounds: every arm once per round, in an order drawn from the seed. */
export async function measure(
  brood: Brood,
  place: Place,
  request: MeasureRequest,
  progress: Progress,
): Promise<Measurement[]> {
  const random = randomFrom(request.seed);
  const startedMs = performance.now();
  const records = new Map(request.arms.map((arm) => [arm, emptyRecord(arm)]));
  progress.begin(request.arms.length * (request.trials + 1), request.budgetMs);
  const paces: ArmPace[] = [];
  for (const arm of shuffled(request.arms, random)) {
    progress.step(`calibrating ${describe(arm)}`);
    const pace = await calibrate(brood, place, arm, request.cells, records.get(arm) as Record);
    if (pace !== undefined) paces.push(pace);
  }
  const leftMs = request.budgetMs - (performance.now() - startedMs);
  const plan = planArms(paces, request.trials, leftMs, request.messages);
  progress.replan(request.trials * plan.reduce((sum, { plannedMs }) => sum + plannedMs, 0));
  for (let round = 1; round <= request.trials; round++) {
    for (const planned of shuffled(plan, random)) {
      const record = records.get(planned.arm) as Record;
      progress.step(`round ${round}/${request.trials}  ${describe(planned.arm)}`);
      if (record.failedTrials < MAX_FAILED_TRIALS)
        await runTrial(brood, place, planned, round, record, random, startedMs);
    }
  }
  progress.end();
  return [...records.values()].flatMap((record) => request.cells.map((cell) => toMeasurement(record, cell)));
}

function emptyRecord(arm: Arm): Record {
  return {
    arm,
    trials: new Map(),
    messages: new Map(),
    reasons: new Map(),
    peer: { language: arm.peerLanguage, version: "" },
    failedTrials: 0,
    failure: undefined,
  };
}

async function calibrate(
  brood: Brood,
  place: Place,
  arm: Arm,
  cells: readonly Cell[],
  record: Record,
): Promise<ArmPace | undefined> {
  const possible = cells.filter((cell) => {
    const reason = cellReason(arm, cell);
    if (reason !== undefined) record.reasons.set(cell, reason);
    return reason === undefined;
  });
  if (possible.length === 0) return undefined;
  const plans = possible.map((cell) => toPlan(cell, { messages: 0, warmupMessages: 0, warmupMs: 0 }));
  const work = { kind: "calibrate", budgetMs: CALIBRATE_CELL_MS } as const;
  const run = await runArm(brood, place, arm, work, plans, plans.length * CALIBRATE_CELL_MS);
  if (run.ready?.peer) record.peer = { language: run.ready.peer.language, version: run.ready.peer.version };
  if (run.failure !== undefined) record.failure = run.failure;
  const paces = possible.flatMap((cell) => {
    const figures = resultOf(run.cells, cell)?.outcome;
    if (figures?.status === "valid") {
      return [{ cell, messagesPerSecond: (figures.figures.messages / figures.figures.elapsedNs) * 1e9 }];
    }
    if (figures?.status === "invalid") record.reasons.set(cell, `invalid while calibrating: ${figures.reason}`);
    return [];
  });
  if (record.failure !== undefined || paces.length === 0) return undefined;
  // Start-up and shutdown of a warm run; the steps of the calibration itself take about twice their last step.
  const measuredMs = run.cells.reduce((sum, { outcome }) => sum + (outcome.figures?.elapsedNs ?? 0) / 1e6, 0);
  return { arm, paces, overheadMs: Math.max(100, run.durationMs - 1.5 * measuredMs) };
}

async function runTrial(
  brood: Brood,
  place: Place,
  planned: PlannedArm,
  round: number,
  record: Record,
  random: () => number,
  runStartedMs: number,
): Promise<void> {
  const order = shuffled(planned.cells, random);
  const startedAtMs = performance.now() - runStartedMs;
  const plans = order.map((cell) => toPlan(cell.cell, cell));
  const run = await runArm(brood, place, planned.arm, { kind: "measure" }, plans, planned.plannedMs);
  let faulty = run.failure !== undefined;
  for (const { cell, messages } of order) {
    record.messages.set(cell, messages);
    const result = resultOf(run.cells, cell);
    const trial = result === undefined ? undefined : toTrial(round, startedAtMs, result);
    if (trial !== undefined) pushTo(record.trials, cell, trial);
    if (trial?.status === "invalid") faulty = true;
  }
  if (run.failure !== undefined) record.failure = run.failure;
  if (faulty) record.failedTrials++;
}

function toMeasurement(record: Record, cell: Cell): Measurement {
  const { arm } = record;
  const trials = record.trials.get(cell) ?? [];
  const reason = record.reasons.get(cell);
  const status = statusOf(arm, record, cell, trials);
  return {
    benchmark: cell.benchmark.name,
    model: cell.benchmark.model,
    transport: arm.transport.id,
    mode: arm.mode,
    placement: arm.placement,
    payloadBytes: cell.payloadBytes,
    inFlight: 1,
    clients: 1,
    ratePerSecond: null,
    codec: "raw",
    peer: record.peer,
    ...status,
    ...(reason !== undefined && status.status !== "measured" ? { reason } : {}),
    messages: record.messages.get(cell) ?? null,
    ...aggregate(trials, cell.payloadBytes),
    trials,
    warnings: warningsOf(trials),
  };
}

function statusOf(
  arm: Arm,
  record: Record,
  cell: Cell,
  trials: readonly Trial[],
): { status: Measurement["status"]; reason?: string } {
  const impossible = cellReason(arm, cell);
  if (impossible !== undefined) return { status: "not-applicable", reason: impossible };
  const invalid = trials.find((trial) => trial.status === "invalid");
  if (invalid !== undefined) return { status: "failed", reason: `trial ${invalid.round}: ${invalid.reason}` };
  if (record.failure !== undefined) return { status: "failed", reason: record.failure };
  if (trials.length === 0) return { status: "failed", reason: "no trial ran" };
  return { status: "measured" };
}

/** Two humps: the trials fall into two groups further apart than either is wide, so that their median describes neither. */
function warningsOf(trials: readonly Trial[]): string[] {
  const p50s = trials
    .flatMap(({ latencyNs }) => (latencyNs === undefined ? [] : [latencyNs.p50]))
    .sort((a, b) => a - b);
  if (p50s.length < 6) return [];
  let split = 0;
  for (let at = 1; at < p50s.length; at++) {
    if (gap(p50s, at) > gap(p50s, split)) split = at;
  }
  const low = p50s.slice(0, split);
  const high = p50s.slice(split);
  if (low.length < 2 || high.length < 2) return [];
  const wide = Math.max(...[low, high].map((half) => (half.at(-1) as number) - (half[0] as number)));
  const between = gap(p50s, split);
  if (between < 2 * wide || between < 0.25 * (low[0] as number)) return [];
  return [
    "two-humped: the trials fall into two groups, and the median describes neither; see the points of the single trials",
  ];
}

function gap(sorted: readonly number[], at: number): number {
  return at === 0 ? 0 : (sorted[at] as number) - (sorted[at - 1] as number);
}

function toPlan(cell: Cell, counts: { messages: number; warmupMessages: number; warmupMs: number }): CellPlan {
  const { messages, warmupMessages, warmupMs } = counts;
  const { name, model } = cell.benchmark;
  return { benchmark: name, model, payloadBytes: cell.payloadBytes, messages, warmupMessages, warmupMs };
}

function resultOf(results: readonly CellResult[], cell: Cell): CellResult | undefined {
  return results.find(
    ({ benchmark, payloadBytes }) => benchmark === cell.benchmark.name && payloadBytes === cell.payloadBytes,
  );
}

function pushTo(map: Map<Cell, Trial[]>, cell: Cell, trial: Trial): void {
  const list = map.get(cell);
  if (list === undefined) map.set(cell, [trial]);
  else list.push(trial);
}

function describe({ transport, mode, placement, peerLanguage }: Arm): string {
  return `${transport.id} (${mode}, ${placement}${peerLanguage === "node" ? "" : `, ${peerLanguage} peer`})`;
}
