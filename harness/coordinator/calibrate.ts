import type { Place } from "../../transports/contract/transport.ts";
import type { CellResult } from "../process/messages.ts";
import { type Arm, type Cell, cellKey, cellReason } from "./arm.ts";
import type { ArmRecord } from "./arm-record.ts";
import { cellPlans, type GroupPace, type Pace } from "./plan.ts";
import type { ProcessSupervisor } from "./process-supervisor.ts";
import {
  type ArmOutcome,
  batchesOf,
  inactivityTimeoutOf,
  type PreparedTrial,
  prepareTrial,
  runTrial,
  type TrialJob,
  type TrialTurn,
} from "./trial.ts";

const CALIBRATE_CELL_MS = 12;
const LEAST_OVERHEAD_MS = 100;
/** Factor above the highest calibrated rate beyond which rates are left out: a curve needs one or two such points. */
const BEYOND_FACTOR = 1.5;

/** Arms of one pair of processes, and their cells. */
export interface Wanted {
  readonly records: readonly [ArmRecord, ...ArmRecord[]];
  readonly cells: readonly Cell[];
}

/**
 * Finds the pace of every arm. A few pairs of processes get ready at the same time, but only one of them is measured at
 * a time. Arms that cannot run any cell are left out.
 */
export async function calibrateAll(
  { supervisor, place, inactivityTimeoutMs, onArm }: CalibrationSite,
  wanted: readonly Wanted[],
): Promise<GroupPace[]> {
  const found: GroupPace[] = [];
  const possible = wanted.flatMap((each) => {
    const job = jobOf(each, inactivityTimeoutMs);
    return job === undefined ? [] : [{ ...each, job }];
  });
  for (const together of batchesOf(possible, ({ records: [{ arm }] }) => arm)) {
    const startedMs = performance.now();
    const ready = await Promise.all(
      together.map(async (each) => ({ ...each, prepared: await prepareTrial(supervisor, place, each.job) })),
    );
    const prepareMs = (performance.now() - startedMs) / together.length;
    for (const { records, cells, prepared } of ready) {
      onArm(records[0].arm);
      const group = await calibrate({ supervisor, place, records, cells, prepared, prepareMs });
      if (group !== undefined) found.push(group);
    }
  }
  return found;
}

export interface CalibrationSite {
  readonly supervisor: ProcessSupervisor;
  readonly place: Place;
  /** Timeout as in `MeasureRequest`. */
  readonly inactivityTimeoutMs: number | undefined;
  readonly onArm: (arm: Arm) => void;
}

/** Returns the possible cells, and records reasons for the others. */
function possibleCells(record: ArmRecord, cells: readonly Cell[]): readonly Cell[] {
  for (const cell of cells) {
    const reason = cellReason(record.arm, cell);
    if (reason !== undefined) record.impossible.set(cell, reason);
  }
  return cells.filter((cell) => !record.impossible.has(cell));
}

interface Calibration {
  readonly supervisor: ProcessSupervisor;
  readonly place: Place;
  readonly records: readonly ArmRecord[];
  readonly cells: readonly Cell[];
  /** Trial that is ready for its first turn; `prepareMs` is the time that getting ready took. */
  readonly prepared: PreparedTrial;
  readonly prepareMs: number;
}

/** Finds the pace of every cell of a group; records reasons for those that cannot run. */
async function calibrate({ supervisor, place, records, ...of }: Calibration): Promise<GroupPace | undefined> {
  const outcomes = await runTrial(supervisor, place, of.prepared);
  let overheadMs = of.prepareMs;
  const arms = records.flatMap((record) => {
    const outcome = outcomes.get(record.arm);
    if (outcome === undefined) return [];
    overheadMs += outcome.endMs;
    const paces = pacesOf(record, of.cells, outcome);
    return paces.length === 0 ? [] : [{ arm: record.arm, paces }];
  });
  return arms.length === 0 ? undefined : { arms, overheadMs: Math.max(LEAST_OVERHEAD_MS, overheadMs) };
}

function pacesOf(record: ArmRecord, cells: readonly Cell[], outcome: ArmOutcome): Pace[] {
  const { results, obstacles } = outcome;
  record.meet(outcome);
  const paces: FoundPace[] = [];
  for (const cell of cells) {
    readPace(record, cell, results.get(cellKey(cell)), paces);
    const obstacle = obstacles.get(cellKey(cell));
    if (obstacle?.shortage) record.lack(cell, obstacle.reason);
    else if (obstacle !== undefined) record.fail(cell, obstacle.reason);
  }
  return withoutHopeless(record, paces);
}

/** Pace, with the rate that the calibration reached. In an open loop the two rates differ. */
interface FoundPace extends Pace {
  readonly achieved: number;
}

/**
 * Removes rates far above the best rate that was reached. The best one decides, because a stall of the machine may
 * spoil a short window at a low rate.
 */
function withoutHopeless(record: ArmRecord, paces: readonly FoundPace[]): FoundPace[] {
  const rates = paces.filter(({ cell }) => cell.benchmark.model === "paced").map(({ achieved }) => achieved);
  const most = Math.max(0, ...rates);
  return paces.filter(({ cell }) => {
    const rate = cell.variant.ratePerSecond;
    if (cell.benchmark.model !== "paced" || rate === undefined || rate <= BEYOND_FACTOR * most) return true;
    record.impossible.set(cell, `beyond the knee: it answers at most ${Math.round(most)} requests a second here`);
    return false;
  });
}

function jobOf({ records, cells }: Wanted, inactivityTimeoutMs: number | undefined): TrialJob | undefined {
  const [first, ...others] = records.flatMap((record): TrialTurn[] => {
    const possible = possibleCells(record, cells);
    const unknown = possible.map((cell) => ({ cell, messages: 0, warmupMessages: 0, warmupMs: 0 }));
    return possible.length === 0 ? [] : [{ arm: record.arm, cells: cellPlans(unknown, () => 1) }];
  });
  if (first === undefined) return undefined;
  const turns = [first, ...others] as const;
  return {
    work: { kind: "calibrate", budgetMs: CALIBRATE_CELL_MS },
    turns,
    plannedMs: turns.reduce((sum, turn) => sum + turn.cells.length * CALIBRATE_CELL_MS, 0),
    inactivityTimeoutMs: inactivityTimeoutOf(inactivityTimeoutMs, CALIBRATE_CELL_MS),
  };
}

function readPace(record: ArmRecord, cell: Cell, result: CellResult | undefined, paces: FoundPace[]): void {
  if (result === undefined) return;
  const { outcome } = result;
  if (outcome.status === "unavailable") return record.lack(cell, outcome.reason);
  if (outcome.status === "invalid") return record.fail(cell, `invalid while calibrating: ${outcome.reason}`);
  const { messages, elapsedNs, keptPerSecond } = outcome.figures;
  if (cell.benchmark.model === "workload" && outcome.status === "refused") return record.lack(cell, outcome.reason);
  if (keptPerSecond !== null) {
    record.kept.set(cell, keptPerSecond);
    return;
  }
  const achieved = (messages / Math.max(1, elapsedNs)) * 1e9;
  const rate = cell.variant.ratePerSecond;
  const pace = cell.benchmark.model === "idle" ? 1000 : (rate ?? achieved);
  paces.push({ cell, messagesPerSecond: pace, achieved });
}
