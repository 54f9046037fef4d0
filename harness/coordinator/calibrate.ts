import type { Place } from "../../transports/contract/transport.ts";
import type { CellPlan, CellResult } from "../process/messages.ts";
import { type Arm, type Cell, cellKey, cellReason, loadOf } from "./arm.ts";
import type { ArmPace, Pace } from "./plan.ts";
import type { ArmRecord } from "./record.ts";
import type { Brood } from "./run-driver.ts";
import { type ArmRun, runArm, silenceOf } from "./trial.ts";

const CALIBRATE_CELL_MS = 20;
/** Each time the driver dies the cell at which it died is left out and the rest is tried again. */
const MAX_ATTEMPTS = 3;
/** Rates so far above the most any calibration answered are beyond the knee: a curve needs one or two such points, not all. */
const BEYOND_FACTOR = 1.5;

/** Finds the pace of every cell of an arm; what cannot run gets its reason in the record. */
export async function calibrate(
  brood: Brood,
  place: Place,
  record: ArmRecord,
  cells: readonly Cell[],
  silenceMs?: number,
): Promise<ArmPace | undefined> {
  const { arm } = record;
  for (const cell of cells) {
    const reason = cellReason(arm, cell);
    if (reason !== undefined) record.impossible.set(cell, reason);
  }
  const paces: FoundPace[] = [];
  let overheadMs = 0;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const left = cells.filter((cell) => !isSettled(record, paces, cell));
    if (left.length === 0) break;
    const run = await runCalibration(brood, place, arm, left, silenceMs);
    if (run.ready?.peer) record.peer = { language: run.ready.peer.language, version: run.ready.peer.version };
    for (const cell of left) readPace(record, cell, resultOf(run.cells, cell), paces);
    const failure = run.misplaced ?? run.failure;
    if (failure === undefined) {
      // Start-up and shutdown; the steps of a calibration take about one and a half times their last step.
      const measuredMs = run.cells.reduce((sum, { outcome }) => sum + (outcome.figures?.elapsedNs ?? 0) / 1e6, 0);
      overheadMs = Math.max(overheadMs, 100, run.durationMs - 1.5 * measuredMs);
      break;
    }
    settleFailure(record, left, run, failure);
  }
  const left = withoutHopeless(record, paces);
  return left.length === 0 ? undefined : { arm, paces: left, overheadMs: Math.max(100, overheadMs) };
}

/** A pace, and how many messages a second the calibration really saw; they differ in an open loop. */
interface FoundPace extends Pace {
  readonly achieved: number;
}

/** Judged by the best of all rates: one short window at a low rate may have met one long stall of the machine. */
function withoutHopeless(record: ArmRecord, paces: readonly FoundPace[]): FoundPace[] {
  const most = Math.max(
    0,
    ...paces.filter(({ cell }) => cell.benchmark.model === "paced").map(({ achieved }) => achieved),
  );
  return paces.filter(({ cell }) => {
    const rate = cell.variant.ratePerSecond;
    if (cell.benchmark.model !== "paced" || rate === undefined || rate <= BEYOND_FACTOR * most) return true;
    record.impossible.set(cell, `beyond the knee: it answers at most ${Math.round(most)} requests a second here`);
    return false;
  });
}

function isSettled(record: ArmRecord, paces: readonly Pace[], cell: Cell): boolean {
  return record.impossible.has(cell) || record.failures.has(cell) || paces.some((pace) => pace.cell === cell);
}

function runCalibration(
  brood: Brood,
  place: Place,
  arm: Arm,
  cells: readonly Cell[],
  silenceMs: number | undefined,
): Promise<ArmRun> {
  const plans = cells.map(
    (cell): CellPlan => ({
      ...loadOf(cell, 1),
      key: cellKey(cell),
      model: cell.benchmark.model,
      messages: 0,
      warmupMessages: 0,
      warmupMs: 0,
    }),
  );
  const work = { kind: "calibrate", budgetMs: CALIBRATE_CELL_MS } as const;
  return runArm(
    brood,
    place,
    arm,
    work,
    plans,
    plans.length * CALIBRATE_CELL_MS,
    silenceOf(silenceMs, CALIBRATE_CELL_MS),
  );
}

function readPace(record: ArmRecord, cell: Cell, result: CellResult | undefined, paces: FoundPace[]): void {
  if (result === undefined) return;
  const { outcome } = result;
  if (outcome.status === "invalid") {
    record.fail(cell, `invalid while calibrating: ${outcome.reason}`);
    return;
  }
  const { messages, elapsedNs } = outcome.figures;
  const achieved = (messages / Math.max(1, elapsedNs)) * 1e9;
  const rate = cell.variant.ratePerSecond;
  const pace = cell.benchmark.model === "idle" ? 1000 : (rate ?? achieved);
  paces.push({ cell, messagesPerSecond: pace, achieved });
}

/** The driver died at the first cell without a result; a driver that never got so far fails all of them. */
function settleFailure(record: ArmRecord, left: readonly Cell[], run: ArmRun, failure: string): void {
  const without = left.filter((cell) => resultOf(run.cells, cell) === undefined);
  const started = run.ready !== null && run.misplaced === undefined;
  for (const cell of started ? without.slice(0, 1) : left) record.fail(cell, failure);
}

export function resultOf(results: readonly CellResult[], cell: Cell): CellResult | undefined {
  const wanted = cellKey(cell);
  return results.find(({ key }) => key === wanted);
}
