import type { Place } from "../../transports/contract/transport.ts";
import type { CellPlan } from "../process/messages.ts";
import { cBaselineWarnings, withCBaseline } from "../results/c-baseline.ts";
import type { Environment, Measurement, Placement, Report, RunLength } from "../results/model.ts";
import { randomFrom, shuffled } from "../results/random.ts";
import { type Arm, type Cell, cellKey, cellsOf } from "./arm.ts";
import { type CBaselineBoard, openCBaseline } from "./c-baseline-board.ts";
import { calibrateAll, calibrateOnePlacement } from "./calibrate.ts";
import { type ControlRun, Controls } from "./controls.ts";
import { keepAwake } from "./keep-awake.ts";
import { isReached, LEAST_FOR_INTERVAL, type Length, roundsLeft, whyStop } from "./length.ts";
import { cellPlans, type Plan, type PlannedArm, type PlannedCell, planRun } from "./plan.ts";
import type { Progress } from "./progress.ts";
import { ArmRecord } from "./record.ts";
import { RoundLog } from "./round-log.ts";
import { rowOf } from "./rows.ts";
import type { Brood } from "./run-driver.ts";
import { batchesOf, type PreparedArm, prepareArm, runArm, silenceOf, toTrial } from "./trial.ts";

export interface MeasureRequest {
  readonly arms: readonly Arm[];
  readonly cells: readonly Cell[];
  readonly length: Length;
  /** Instead of a calibrated count. */
  readonly messages?: number;
  readonly seed: number;
  /** Keep the CPUs from halting while measuring. */
  readonly keepAwake?: boolean;
  /** Run the frozen control and the wake-up canary in every round; default true. */
  readonly controls?: boolean;
  /** Sizes at which the C program is measured as further cells of every round, where there is a compiler; default none. */
  readonly cBaseline?: readonly number[];
  /** The counts found on one placement serve the others too; default: each placement is calibrated. */
  readonly calibratesOnePlacement?: boolean;
  /** Gets how long it will take: after the calibration, and anew after each round but the last. May throw: then nothing more is run. */
  readonly onPlan?: (plan: Prediction) => void;
  /** Given once, before anything runs: returns what has been measured by then, whenever it is called. */
  readonly onBegin?: (soFar: () => MeasureResult) => void;
  /** How long a driver may say nothing, besides ten times what it was given to do; default as trials need on a busy machine. */
  readonly silenceMs?: number;
  /** `performance.now()` at which the time of a budget began to run; default when this is called. */
  readonly sinceMs?: number;
}

export interface Prediction {
  /** Rounds done; 0 after the calibration. */
  readonly done: number;
  /** Rounds still to come, and what they will take, ms. */
  readonly left: number;
  readonly leftMs: number;
}

export interface MeasureResult {
  readonly measurements: readonly Measurement[];
  /** What the report keeps besides. */
  readonly about: Pick<Report, "rounds" | "controls" | "canaries" | "length" | "cBaseline" | "cBaselineReason">;
  readonly keepAwake?: Environment["keepAwake"];
  readonly warnings: readonly string[];
}

/** Rounds of an effort when nothing else bounds them. */
const MOST_ROUNDS = 1000;
const CONTROL_GUESS_MS = 400;
/** Of each placement, the start of the canary spread over the rounds. */
const CANARY_GUESS_MS = 250;
/** A calibration runs code that is not compiled yet, in processes whose cache is still empty: trials take about so much of what it predicts. */
const WARM_SHARE = 0.9;

interface Run {
  readonly brood: Brood;
  readonly place: Place;
  readonly request: MeasureRequest;
  readonly progress: Progress;
  readonly random: () => number;
  readonly startedMs: number;
  readonly records: ReadonlyMap<Arm, ArmRecord>;
  readonly log: RoundLog;
  readonly controls: Controls;
  readonly cBaseline: CBaselineBoard | { readonly reason: string };
}

/** Calibrates, plans, then runs rounds: every arm once per round, in an order drawn from the seed. */
export async function measure(
  brood: Brood,
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
    : { reason: "the C program was not asked for" };
  const run: Run = {
    brood,
    place,
    request,
    progress,
    random: randomFrom(request.seed),
    startedMs,
    records: new Map(request.arms.map((arm) => [arm, new ArmRecord(arm)])),
    log: new RoundLog(),
    controls: new Controls(),
    cBaseline,
  };
  const awake = request.keepAwake ? await keepAwake(placementsOf(request.arms)) : undefined;
  request.onBegin?.(() => resultOf(run, undefined, awake?.record));
  try {
    const plan = await prepare(run);
    const length = await runRounds(run, plan);
    return resultOf(run, length, awake?.record);
  } finally {
    await run.controls.end();
    await awake?.end();
    progress.end();
  }
}

/** @param length undefined while the run goes on: then cells of which nothing is known yet have no row */
function resultOf(run: Run, length: RunLength | undefined, awake: Environment["keepAwake"] | undefined): MeasureResult {
  const { records, request, cBaseline, log } = run;
  const rows = [...records.values()].flatMap((record) =>
    cellsOf(record.arm, request.cells)
      .filter((cell) => length !== undefined || record.isKnown(cell))
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
      ...(length === undefined ? {} : { length }),
      cBaseline: cRows,
      ...("reason" in cBaseline ? { cBaselineReason: cBaseline.reason } : {}),
    },
    ...(awake === undefined ? {} : { keepAwake: awake }),
    warnings: [...warningsOf(run, length, awake), ...cBaselineWarnings(measurements)],
  };
}

function placementsOf(arms: readonly Arm[]): Placement[] {
  return [...new Set(arms.map(({ placement }) => placement))];
}

/** Since the time of the run began to count. */
function elapsedMs({ startedMs }: Run): number {
  return performance.now() - startedMs;
}

/** Finds the pace of every cell and fixes all counts. */
async function prepare(run: Run): Promise<Plan> {
  const { request, progress, records } = run;
  const { length } = request;
  const budgetMs = length.budgetMs ?? Number.POSITIVE_INFINITY;
  const guessed =
    length.rule === "fixed" ? length.trials : length.rule === "budget" ? length.least : LEAST_FOR_INTERVAL;
  progress.begin(request.arms.length * (guessed + 1), Number.isFinite(budgetMs) ? budgetMs : 0);
  const { brood, place } = run;
  const find = request.calibratesOnePlacement === true ? calibrateOnePlacement : calibrateAll;
  const paces = await find(
    { brood, place, silenceMs: request.silenceMs, onArm: (arm) => progress.step(`calibrating ${describe(arm)}`) },
    shuffled(request.arms, run.random).map((arm) => ({
      record: records.get(arm) as ArmRecord,
      cells: cellsOf(arm, request.cells),
    })),
  );
  if (!("reason" in run.cBaseline)) await run.cBaseline.calibrate();
  const controlsMs =
    request.controls === false ? 0 : CONTROL_GUESS_MS + CANARY_GUESS_MS * placementsOf(request.arms).length;
  const extraMs = controlsMs + ("reason" in run.cBaseline ? 0 : run.cBaseline.guessMs);
  const plan = planRun(paces, {
    effort: length.effort,
    rounds: roundsOf(length),
    leftMs: budgetMs - elapsedMs(run),
    extraMs,
    messages: request.messages,
  });
  foresee(run, plan, { done: 0, left: plan.rounds, leftMs: WARM_SHARE * plan.rounds * plan.roundMs });
  return plan;
}

function foresee({ progress, request }: Run, { arms }: Plan, prediction: Prediction): void {
  progress.replan(prediction.leftMs, prediction.left * arms.length);
  if (arms.length > 0) request.onPlan?.(prediction);
}

function roundsOf(length: Length): { least: number; most: number } {
  switch (length.rule) {
    case "fixed":
      return { least: length.trials, most: length.trials };
    case "budget":
      return { least: length.least, most: Math.min(length.most, MOST_ROUNDS) };
    case "until":
      return { least: 10, most: 10 };
  }
}

async function runRounds(run: Run, plan: Plan): Promise<RunLength> {
  const { request, records } = run;
  const { length } = request;
  const p50s = (): number[][] =>
    [...records.values()]
      .flatMap((record) => request.cells.map((cell) => p50sOf(record, cell)))
      .filter((values) => values.length > 0);
  const plannedMs = elapsedMs(run) + WARM_SHARE * plan.rounds * plan.roundMs;
  let stop = plan.arms.length === 0 ? "nothing could be calibrated" : undefined;
  let roundMs = plan.roundMs;
  let done = 0;
  while (stop === undefined) {
    const startedMs = performance.now();
    await runRound(run, plan, done + 1);
    done++;
    // The newest rounds say more about the next than the plan: half their weight is the last one's.
    roundMs = done === 1 ? performance.now() - startedMs : (roundMs + performance.now() - startedMs) / 2;
    const sinceStartMs = elapsedMs(run);
    stop = whyStop(length, { done, elapsedMs: sinceStartMs, roundMs, p50s });
    if (stop !== undefined) break;
    const left = roundsLeft(length, { done, elapsedMs: sinceStartMs, roundMs });
    foresee(run, plan, { done, left, leftMs: left * roundMs });
  }
  const reached = isReached(length, p50s());
  return {
    rule: length.rule,
    effort: length.effort,
    rounds: done,
    plannedMs: Math.round(saidMs(length, plannedMs)),
    actualMs: Math.round(elapsedMs(run)),
    ...(length.rule === "until" ? { target: length.target } : {}),
    ...(reached === undefined ? {} : { reached }),
    sentence: stop,
  };
}

/** A budget that was asked for is what was said; any other is said anew when the calibration finds that it does not do. */
function saidMs(length: Length, plannedMs: number): number {
  if (length.budgetMs === undefined) return plannedMs;
  const isPromise = length.rule === "until" || length.strict;
  return isPromise ? length.budgetMs : Math.max(length.budgetMs, plannedMs);
}

async function runRound(run: Run, plan: Plan, round: number): Promise<void> {
  const { request, progress, random } = run;
  const finish = run.log.begin(round, elapsedMs(run));
  // The control has its place in the order like any arm: before, between or behind them, as the seed says.
  const controls = request.controls === false ? [] : placementsOf(request.arms);
  const controlled = controls.find((placement) => placement === "two-cpus") ?? controls[0];
  const results: ControlRun[] = [];
  const cArms = "reason" in run.cBaseline ? [] : run.cBaseline.arms;
  const order = shuffled([...plan.arms, ...controls, ...cArms], random);
  const trials = order.filter((entry) => isArm(entry)).flatMap((planned) => trialOf(run, planned) ?? []);
  const batches = batchesOf(trials, ({ planned }) => planned.arm);
  const ready = new Map<PlannedArm, PreparedArm>();
  for (const entry of order) {
    if (typeof entry === "string") results.push(await run.controls.run(entry, entry === controlled));
    else if ("kind" in entry) await (run.cBaseline as CBaselineBoard).run(entry, round, elapsedMs(run), random);
    else {
      const trial = trials.find(({ planned }) => planned === entry);
      if (trial === undefined) continue;
      progress.step(`round ${round}  ${describe(entry.arm)}`);
      if (!ready.has(entry)) await getReady(run, batches.find((batch) => batch.includes(trial)) ?? [], ready);
      await runTrial(run, trial, ready.get(entry) as PreparedArm, round);
    }
  }
  finish(results);
}

function isArm(entry: object | string): entry is PlannedArm {
  return typeof entry === "object" && "arm" in entry;
}

/** One arm's part of a round: its cells in the order in which they will run. */
interface PlannedTrial {
  readonly planned: PlannedArm;
  readonly order: readonly PlannedCell[];
  readonly plans: readonly CellPlan[];
}

/** undefined: none of its cells is worth its time any more. */
function trialOf({ records, random }: Run, planned: PlannedArm): PlannedTrial | undefined {
  const record = records.get(planned.arm) as ArmRecord;
  const order = shuffled(
    planned.cells.filter(({ cell }) => record.worthRunning(cell)),
    random,
  );
  const plans = cellPlans(order, () => Math.floor(random() * 2 ** 32));
  return order.length === 0 ? undefined : { planned, order, plans };
}

/** All of these at once, while nothing is measured: that is when a machine of two CPUs may use both. */
async function getReady(
  { brood, place, request }: Run,
  trials: readonly PlannedTrial[],
  ready: Map<PlannedArm, PreparedArm>,
): Promise<void> {
  await Promise.all(
    trials.map(async ({ planned, order, plans }) => {
      const silenceMs = silenceOf(request.silenceMs, Math.max(...order.map(({ plannedMs }) => plannedMs)));
      const { arm, plannedMs } = planned;
      const job = { arm, work: { kind: "measure" }, cells: plans, plannedMs, silenceMs } as const;
      ready.set(planned, await prepareArm(brood, place, job));
    }),
  );
}

async function runTrial(
  run: Run,
  { planned, order }: PlannedTrial,
  prepared: PreparedArm,
  round: number,
): Promise<void> {
  const record = run.records.get(planned.arm) as ArmRecord;
  const startedAtMs = elapsedMs(run);
  const { results, obstacles, last } = await runArm(run.brood, run.place, prepared);
  const peer = last.ready?.peer;
  if (peer) record.peer = { language: peer.language, version: peer.version };
  for (const { cell, messages } of order) {
    record.messages.set(cell, messages);
    const result = results.get(cellKey(cell));
    if (result?.outcome.status === "unavailable") record.lack(cell, result.outcome.reason);
    else if (result !== undefined) record.add(cell, toTrial(round, startedAtMs, result));
    const obstacle = obstacles.get(cellKey(cell));
    if (obstacle?.shortage) record.lack(cell, obstacle.reason);
    else if (obstacle !== undefined) record.blame(cell, `trial ${round}: ${obstacle.reason}`);
  }
}

function p50sOf(record: ArmRecord, cell: Cell): number[] {
  return record
    .trialsOf(cell)
    .flatMap(({ status, latencyNs }) => (status === "valid" && latencyNs ? [latencyNs.p50] : []));
}

function warningsOf(run: Run, length: RunLength | undefined, awake: Environment["keepAwake"] | undefined): string[] {
  const found: string[] = [];
  if (length !== undefined && length.rounds > 0 && length.rounds < LEAST_FOR_INTERVAL) {
    const more = `a 95 % interval needs ${LEAST_FOR_INTERVAL}; give it more --trials or a longer --budget`;
    found.push(`only ${length.rounds} rounds (${length.sentence}): ${more}`);
  }
  if (length?.reached === false) found.push(length.sentence);
  if (awake !== undefined && "reason" in awake) found.push(`--keep-awake had no effect: ${awake.reason}`);
  for (const [placement, canary] of Object.entries(run.log.canaries())) {
    if (canary?.bad) found.push(`${placement}: ${canary.sentence}`);
  }
  for (const [placement, control] of Object.entries(run.log.controls())) {
    if (control !== undefined && control.spread > 2) {
      found.push(
        `${placement}: the frozen control took between 1 and ${control.spread.toFixed(1)} times as long from round to round: the machine changed speed; trust ratios within rounds, not absolute times`,
      );
    }
  }
  return found;
}

function describe({ transport, mode, placement, peerLanguage, codec }: Arm): string {
  return `${transport.id} (${mode}, ${placement}${peerLanguage === "node" ? "" : `, ${peerLanguage} peer`}${codec === undefined ? "" : `, ${codec}`})`;
}
