import type { Place } from "../../transports/contract/transport.ts";
import type { CellResult } from "../process/messages.ts";
import { type Arm, type Cell, cellKey, cellReason } from "./arm.ts";
import { type ArmPace, cellPlans, type Pace } from "./plan.ts";
import type { ArmRecord } from "./record.ts";
import type { Brood } from "./run-driver.ts";
import { type ArmJob, batchesOf, type PreparedArm, prepareArm, runArm, silenceOf } from "./trial.ts";

const CALIBRATE_CELL_MS = 12;
const LEAST_OVERHEAD_MS = 100;
/** Rates so far above the most any calibration answered are beyond the knee: a curve needs one or two such points, not all. */
const BEYOND_FACTOR = 1.5;

/** Finds the paces of all arms, a few getting ready at a time and each alone while it is measured. Arms of which nothing can run are left out. */
export async function calibrateAll(
  { brood, place, silenceMs, onArm }: CalibrationSite,
  wanted: readonly Wanted[],
): Promise<ArmPace[]> {
  const paces: ArmPace[] = [];
  const possible = wanted.filter(({ record, cells }) => possibleCells(record, cells).length > 0);
  for (const together of batchesOf(possible, ({ record }) => record.arm)) {
    const startedMs = performance.now();
    const ready = await Promise.all(
      together.map(async ({ record, cells }) => {
        const job = jobOf(record.arm, possibleCells(record, cells), silenceMs);
        return { record, cells, prepared: await prepareArm(brood, place, job) };
      }),
    );
    const prepareMs = (performance.now() - startedMs) / together.length;
    for (const { record, cells, prepared } of ready) {
      onArm(record.arm);
      const pace = await calibrate({ brood, place, record, cells, prepared, prepareMs });
      if (pace !== undefined) paces.push(pace);
    }
  }
  return paces;
}

interface Wanted {
  readonly record: ArmRecord;
  readonly cells: readonly Cell[];
}

/**
 * The same with one placement of each mechanism measured, the one with the ends apart where there is one: its counts serve the others, whose
 * round trips take other times, so the prediction is that much coarser. Where it finds nothing the others are tried.
 */
export async function calibrateOnePlacement(site: CalibrationSite, wanted: readonly Wanted[]): Promise<ArmPace[]> {
  const groups = Map.groupBy(wanted, ({ record: { arm } }) =>
    JSON.stringify([arm.reference, arm.mode, arm.peerLanguage, arm.codec ?? null]),
  );
  const apart = ({ record }: Wanted): boolean => record.arm.placement === "two-cpus";
  const first = [...groups.values()].flatMap((group) => group.find(apart) ?? group[0] ?? []);
  const paces = await calibrateAll(
    site,
    wanted.filter((each) => first.includes(each)),
  );
  const untried: Wanted[] = [];
  for (const group of groups.values()) {
    const source = group.find((each) => first.includes(each)) as Wanted;
    const pace = paces.find(({ arm }) => arm === source.record.arm);
    const others = group.filter((each) => each !== source);
    if (pace === undefined) untried.push(...others);
    else paces.push(...others.flatMap((each) => copyFor(each, pace, source.record)));
  }
  return [...paces, ...(await calibrateAll(site, untried))];
}

function copyFor({ record, cells }: Wanted, { paces, overheadMs }: ArmPace, source: ArmRecord): ArmPace[] {
  const possible = possibleCells(record, cells);
  for (const cell of possible) {
    const reason = source.failures.get(cell);
    if (reason !== undefined) record.fail(cell, `on ${source.arm.placement}: ${reason}`);
    const lacking = source.shortages.get(cell);
    if (lacking !== undefined) record.lack(cell, lacking);
    const hopeless = source.impossible.get(cell);
    if (hopeless !== undefined) record.impossible.set(cell, `on ${source.arm.placement}: ${hopeless}`);
  }
  const own = paces.filter(({ cell }) => possible.includes(cell));
  return own.length === 0 ? [] : [{ arm: record.arm, paces: own, overheadMs }];
}

export interface CalibrationSite {
  readonly brood: Brood;
  readonly place: Place;
  /** As of `MeasureRequest`. */
  readonly silenceMs: number | undefined;
  readonly onArm: (arm: Arm) => void;
}

/** What cannot exist gets its reason in the record. */
function possibleCells(record: ArmRecord, cells: readonly Cell[]): readonly Cell[] {
  for (const cell of cells) {
    const reason = cellReason(record.arm, cell);
    if (reason !== undefined) record.impossible.set(cell, reason);
  }
  return cells.filter((cell) => !record.impossible.has(cell));
}

interface Calibration {
  readonly brood: Brood;
  readonly place: Place;
  readonly record: ArmRecord;
  readonly cells: readonly Cell[];
  /** Ready for its turn, and what getting ready took of the time of the run. */
  readonly prepared: PreparedArm;
  readonly prepareMs: number;
}

/** Finds the pace of every cell of an arm; what cannot run gets its reason in the record. */
async function calibrate({ record, cells, ...of }: Calibration): Promise<ArmPace | undefined> {
  const { results, obstacles, last } = await runArm(of.brood, of.place, of.prepared);
  const peer = last.ready?.peer;
  if (peer) record.peer = { language: peer.language, version: peer.version };
  const paces: FoundPace[] = [];
  for (const cell of cells) {
    readPace(record, cell, results.get(cellKey(cell)), paces);
    const obstacle = obstacles.get(cellKey(cell));
    if (obstacle?.shortage) record.lack(cell, obstacle.reason);
    else if (obstacle !== undefined) record.fail(cell, obstacle.reason);
  }
  const left = withoutHopeless(record, paces);
  if (left.length === 0) return undefined;
  // Start-up and shutdown; the steps of a calibration take about one and a half times their last step.
  const measuredMs = last.cells.reduce((sum, { outcome }) => sum + (outcome.figures?.elapsedNs ?? 0) / 1e6, 0);
  const overheadMs = last.failure === undefined ? of.prepareMs + last.durationMs - 1.5 * measuredMs : 0;
  return { arm: record.arm, paces: left, overheadMs: Math.max(LEAST_OVERHEAD_MS, overheadMs) };
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

function jobOf(arm: Arm, cells: readonly Cell[], silenceMs: number | undefined): ArmJob {
  const unknown = cells.map((cell) => ({ cell, messages: 0, warmupMessages: 0, warmupMs: 0 }));
  return {
    arm,
    work: { kind: "calibrate", budgetMs: CALIBRATE_CELL_MS },
    cells: cellPlans(unknown, () => 1),
    plannedMs: cells.length * CALIBRATE_CELL_MS,
    silenceMs: silenceOf(silenceMs, CALIBRATE_CELL_MS),
  };
}

function readPace(record: ArmRecord, cell: Cell, result: CellResult | undefined, paces: FoundPace[]): void {
  if (result === undefined) return;
  const { outcome } = result;
  if (outcome.status === "unavailable") return record.lack(cell, outcome.reason);
  if (outcome.status === "invalid") return record.fail(cell, `invalid while calibrating: ${outcome.reason}`);
  const { messages, elapsedNs } = outcome.figures;
  const achieved = (messages / Math.max(1, elapsedNs)) * 1e9;
  const rate = cell.variant.ratePerSecond;
  const pace = cell.benchmark.model === "idle" ? 1000 : (rate ?? achieved);
  paces.push({ cell, messagesPerSecond: pace, achieved });
}
