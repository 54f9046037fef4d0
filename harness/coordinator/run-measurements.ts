import type { Place } from "../../transports/contract/transport.ts";
import { openCBaseline } from "../c-baseline/board.ts";
import { cBaselineWarnings, withCBaseline } from "../results/c-baseline.ts";
import { count } from "../results/format.ts";
import {
  type Environment,
  type Measurement,
  type NoCBaseline,
  PLACEMENTS,
  type Placement,
  type Report,
  type RunDuration,
  type Warning,
} from "../results/model.ts";
import { randomFrom, shuffled } from "../results/random.ts";
import { type Arm, type Cell, cellKey, cellsOf } from "./arm.ts";
import { ArmRecord } from "./arm-record.ts";
import { calibrateAll } from "./calibrate.ts";
import { Controls } from "./controls.ts";
import { keepAwake } from "./keep-awake.ts";
import { type Plan, planRun } from "./plan.ts";
import type { ProcessSupervisor } from "./process-supervisor.ts";
import type { Progress } from "./progress.ts";
import { describeArm, elapsedMs, type RoundSite, runRound } from "./round.ts";
import { RoundLog } from "./round-log.ts";
import { rowOf } from "./rows.ts";
import { isReached, LEAST_FOR_INTERVAL, roundsLeft, type StopRule, whyStop } from "./stop-rule.ts";

export interface MeasureRequest {
  readonly arms: readonly Arm[];
  readonly cells: readonly Cell[];
  readonly stopRule: StopRule;
  /** Number of messages to use instead of a calibrated count. */
  readonly messages?: number;
  readonly seed: number;
  /** `true` when the answer is a p99: windows are made long enough for one. */
  readonly forP99?: boolean;
  /** `true` to keep the CPUs from halting while measuring. */
  readonly keepAwake?: boolean;
  /** `true` to run the frozen echo and the wake-up canary in every round; default. */
  readonly controls?: boolean;
  /** Sizes at which the C program is measured as further cells of each round, given a compiler; default none. */
  readonly cBaseline?: readonly number[];
  /** Receives the predicted time after the calibration and after each round but the last. May throw to end the run. */
  readonly onPlan?: (plan: Prediction) => void;
  /** Called once, before anything runs, with a function that returns the results so far. */
  readonly onBegin?: (soFar: () => MeasureResult) => void;
  /** Longest silence of a driver beyond ten times its work, ms. The default is what trials need on a busy machine. */
  readonly inactivityTimeoutMs?: number;
  /** `performance.now()` at which the time of a budget began to run; default: now. */
  readonly sinceMs?: number;
}

export interface Prediction {
  /** Rounds done; 0 after the calibration. */
  readonly done: number;
  /** Rounds still to come, and their predicted time, ms. */
  readonly left: number;
  readonly leftMs: number;
}

export interface MeasureResult {
  readonly measurements: readonly Measurement[];
  /** Further parts of the report. */
  readonly about: Pick<Report, "rounds" | "controls" | "canaries" | "duration" | "cBaseline" | "cBaselineReason">;
  readonly keepAwake?: Environment["keepAwake"];
  readonly warnings: readonly Warning[];
}

const NOT_ASKED: NoCBaseline = { status: "not-asked", reason: "the C program was not asked for" };

/** Largest number of rounds of an effort without other bounds. */
const MOST_ROUNDS = 1000;
const CONTROL_GUESS_MS = 400;
/**
 * Expected time per round of the canary of one placement, ms. It includes a round's share of the start of the canary.
 */
const CANARY_GUESS_MS = 250;

interface Run extends RoundSite {
  readonly request: MeasureRequest;
}

/** Calibrates, plans, then runs rounds: every arm once per round, in an order drawn from the seed. */
export async function measure(
  supervisor: ProcessSupervisor,
  place: Place,
  request: MeasureRequest,
  progress: Progress,
): Promise<MeasureResult> {
  const startedMs = request.sinceMs ?? performance.now();
  const cBaseline = request.cBaseline
    ? await openCBaseline(
        place,
        placementsOf(request.arms),
        request.cBaseline,
        request.arms.map(({ transport }) => transport.id),
      )
    : NOT_ASKED;
  const run: Run = {
    supervisor,
    place,
    request,
    progress,
    random: randomFrom(request.seed),
    startedMs,
    records: new Map(request.arms.map((arm) => [arm, new ArmRecord(arm)])),
    log: new RoundLog(),
    controls: new Controls(),
    controlled: request.controls === false ? [] : placementsOf(request.arms),
    cBaseline,
    inactivityTimeoutMs: request.inactivityTimeoutMs,
  };
  const awake = request.keepAwake ? await keepAwake(placementsOf(request.arms)) : undefined;
  request.onBegin?.(() => resultOf(run, undefined, awake?.record));
  try {
    const plan = await prepare(run);
    const duration = await runRounds(run, plan);
    return resultOf(run, duration, awake?.record);
  } finally {
    await run.controls.end();
    await awake?.end();
    progress.end();
  }
}

/** @param duration undefined while the run goes on: then cells without results have no row */
function resultOf(
  run: Run,
  duration: RunDuration | undefined,
  awake: Environment["keepAwake"] | undefined,
): MeasureResult {
  const { records, request, cBaseline, log } = run;
  const rows = [...records.values()].flatMap((record) =>
    cellsOf(record.arm, request.cells)
      .filter((cell) => duration !== undefined || record.isKnown(cell))
      .map((cell) => rowOf(record, cell)),
  );
  const cRows = "reason" in cBaseline ? [] : cBaseline.rows();
  const measurements = withCBaseline(rows, cRows);
  return {
    measurements,
    about: {
      rounds: log.rounds,
      controls: log.controls(),
      canaries: log.canaries(),
      ...(duration === undefined ? {} : { duration }),
      cBaseline: cRows,
      ...("reason" in cBaseline ? { cBaselineReason: cBaseline } : {}),
    },
    ...(awake === undefined ? {} : { keepAwake: awake }),
    warnings: [...warningsOf(run, duration, awake), ...cBaselineWarnings(measurements)],
  };
}

/** Groups arms that differ in placement only: they share a pair of processes, where that can be moved. */
function groupsOf(arms: readonly Arm[]): [Arm, ...Arm[]][] {
  const groups = Map.groupBy(arms, ({ reference, mode, codec, placement, only, ...ends }) =>
    JSON.stringify([
      ...[reference, mode, codec ?? null, placement === "unpinned"],
      ...[ends.peerLanguage, ends.peerProgram ?? null, ends.clientLanguage ?? null],
      only?.map(cellKey) ?? null,
    ]),
  );
  return [...groups.values()] as [Arm, ...Arm[]][];
}

function placementsOf(arms: readonly Arm[]): Placement[] {
  return [...new Set(arms.map(({ placement }) => placement))];
}

/** Finds the pace of every cell and fixes all counts. */
async function prepare(run: Run): Promise<Plan> {
  const { request, progress, records } = run;
  const { stopRule } = request;
  const budgetMs = stopRule.budgetMs ?? Number.POSITIVE_INFINITY;
  const guessed =
    stopRule.rule === "fixed" ? stopRule.trials : stopRule.rule === "budget" ? stopRule.least : LEAST_FOR_INTERVAL;
  progress.begin(
    groupsOf(request.arms).length + request.arms.length * guessed,
    Number.isFinite(budgetMs) ? budgetMs : 0,
  );
  const { supervisor, place } = run;
  const paces = await calibrateAll(
    {
      supervisor,
      place,
      inactivityTimeoutMs: request.inactivityTimeoutMs,
      onArm: (arm) => progress.step(`calibrating ${describeArm(arm)}`),
    },
    shuffled(groupsOf(request.arms), run.random).map((arms) => ({
      records: arms.map((arm) => records.get(arm) as ArmRecord) as [ArmRecord, ...ArmRecord[]],
      cells: cellsOf(arms[0], request.cells),
    })),
  );
  if (!("reason" in run.cBaseline)) await run.cBaseline.calibrate();
  const controlsMs =
    request.controls === false ? 0 : CONTROL_GUESS_MS + CANARY_GUESS_MS * placementsOf(request.arms).length;
  const extraMs = controlsMs + ("reason" in run.cBaseline ? 0 : run.cBaseline.guessMs);
  const plan = planRun(paces, {
    effort: stopRule.effort,
    rounds: roundsOf(stopRule),
    leftMs: budgetMs - elapsedMs(run),
    extraMs,
    messages: request.messages,
    forP99: request.forP99 ?? false,
  });
  foresee(run, plan, { done: 0, left: plan.rounds, leftMs: plan.rounds * plan.roundMs });
  return plan;
}

function foresee({ progress, request }: Run, { groups }: Plan, prediction: Prediction): void {
  const turns = groups.reduce((sum, { arms }) => sum + arms.length, 0);
  progress.replan(prediction.leftMs, prediction.left * turns);
  if (turns > 0) request.onPlan?.(prediction);
}

function roundsOf(stopRule: StopRule): { least: number; most: number } {
  switch (stopRule.rule) {
    case "fixed":
      return { least: stopRule.trials, most: stopRule.trials };
    case "budget":
      return { least: stopRule.least, most: Math.min(stopRule.most, MOST_ROUNDS) };
    case "until":
      return { least: 10, most: 10 };
  }
}

async function runRounds(run: Run, plan: Plan): Promise<RunDuration> {
  const { request, records } = run;
  const { stopRule } = request;
  const p50s = (): number[][] =>
    [...records.values()]
      .flatMap((record) => request.cells.map((cell) => p50sOf(record, cell)))
      .filter((values) => values.length > 0);
  const plannedMs = elapsedMs(run) + plan.rounds * plan.roundMs;
  let stop = plan.groups.length === 0 ? "nothing could be calibrated" : undefined;
  let roundMs = plan.roundMs;
  let done = 0;
  while (stop === undefined) {
    const startedMs = performance.now();
    await runRound(run, plan, done + 1);
    done++;
    // The newest rounds predict the next one better than the plan does. The last round has half of the weight.
    roundMs = done === 1 ? performance.now() - startedMs : (roundMs + performance.now() - startedMs) / 2;
    const sinceStartMs = elapsedMs(run);
    stop = whyStop(stopRule, { done, elapsedMs: sinceStartMs, roundMs, p50s });
    if (stop !== undefined) break;
    const left = roundsLeft(stopRule, { done, elapsedMs: sinceStartMs, roundMs });
    foresee(run, plan, { done, left, leftMs: left * roundMs });
  }
  const reached = isReached(stopRule, p50s());
  return {
    rule: stopRule.rule,
    effort: stopRule.effort,
    rounds: done,
    plannedMs: Math.round(announcedMs(stopRule, plannedMs)),
    actualMs: Math.round(elapsedMs(run)),
    ...(stopRule.rule === "until" ? { target: stopRule.target } : {}),
    ...(reached === undefined ? {} : { reached }),
    sentence: stop,
  };
}

/**
 * Returns the time to announce. A budget that was asked for stays. A budget by default gives way to a plan that takes
 * longer.
 */
function announcedMs(stopRule: StopRule, plannedMs: number): number {
  if (stopRule.budgetMs === undefined) return plannedMs;
  const isPromise = stopRule.rule === "until" || stopRule.strict;
  return isPromise ? stopRule.budgetMs : Math.max(stopRule.budgetMs, plannedMs);
}

function p50sOf(record: ArmRecord, cell: Cell): number[] {
  return record
    .trialsOf(cell)
    .flatMap((trial) => (trial.status === "valid" && trial.latencyNs ? [trial.latencyNs.p50] : []));
}

function warningsOf(
  run: Run,
  duration: RunDuration | undefined,
  awake: Environment["keepAwake"] | undefined,
): Warning[] {
  const found: Warning[] = [];
  const warn = (id: Warning["id"], text: string, where: Warning["where"] = {}): unknown =>
    found.push({ id, text, where });
  if (duration !== undefined && duration.rounds > 0 && duration.rounds < LEAST_FOR_INTERVAL) {
    const more = `a 95 % interval needs ${LEAST_FOR_INTERVAL}; give more --trials or a longer --budget`;
    warn("few-rounds", `only ${count(duration.rounds, "round")} (${duration.sentence}): ${more}`);
  }
  if (duration?.reached === false) warn("target-missed", duration.sentence);
  if (awake !== undefined && "reason" in awake)
    warn("keep-awake-failed", `--keep-awake had no effect: ${awake.reason}`);
  const canaries = run.log.canaries();
  const controls = run.log.controls();
  for (const placement of PLACEMENTS) {
    const canary = canaries[placement];
    if (canary?.bad) warn("late-wake-ups", `${placement}: ${canary.sentence}`, { placement });
    const control = controls[placement];
    if (control !== undefined && control.spread > 2) {
      warn(
        "speed-changed",
        `${placement}: the frozen echo, whose code never changes, took ${control.spread.toFixed(1)} times as long in ` +
          "its slowest round as in its fastest: the machine changed speed; trust ratios within rounds, not times",
        { placement },
      );
    }
  }
  return found;
}
