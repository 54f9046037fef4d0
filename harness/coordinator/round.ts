import type { Place } from "../../transports/contract/transport.ts";
import type { CBaselineBoard } from "../c-baseline/board.ts";
import { runsOnNode } from "../process/language.ts";
import type { NoCBaseline, Placement } from "../results/model.ts";
import { shuffled } from "../results/random.ts";
import { type Arm, cellKey } from "./arm.ts";
import type { ArmRecord } from "./arm-record.ts";
import type { ControlRun, Controls } from "./controls.ts";
import { cellPlans, type Plan, type PlannedCell, type PlannedGroup } from "./plan.ts";
import type { ProcessSupervisor } from "./process-supervisor.ts";
import type { Progress } from "./progress.ts";
import type { RoundLog } from "./round-log.ts";
import {
  type ArmOutcome,
  batchesOf,
  inactivityTimeoutOf,
  type PreparedTrial,
  prepareTrial,
  runTrial,
  type TrialTurn,
  toTrial,
} from "./trial.ts";

/** State that the rounds of a run share. */
export interface RoundSite {
  readonly supervisor: ProcessSupervisor;
  readonly place: Place;
  readonly progress: Progress;
  readonly random: () => number;
  /** `performance.now()` at which the time of the run began to count. */
  readonly startedMs: number;
  readonly records: ReadonlyMap<Arm, ArmRecord>;
  readonly log: RoundLog;
  readonly controls: Controls;
  /** Placements whose canary runs in every round. */
  readonly controlled: readonly Placement[];
  readonly cBaseline: CBaselineBoard | NoCBaseline;
  readonly inactivityTimeoutMs: number | undefined;
}

/** Runs every group of the plan once, in an order drawn from the seed. */
export async function runRound(site: RoundSite, plan: Plan, round: number): Promise<void> {
  const { progress, random, controlled, cBaseline } = site;
  const finish = site.log.begin(round, elapsedMs(site));
  const withEcho = controlled.find((placement) => placement === "two-cpus") ?? controlled[0];
  const results: ControlRun[] = [];
  const cArms = "reason" in cBaseline ? [] : cBaseline.arms;
  // The frozen echo has its place in the order like any arm: before, between or after them, as the seed decides.
  const order = shuffled([...plan.groups, ...controlled, ...cArms], random);
  const trials = order.filter((entry) => isGroup(entry)).flatMap((group) => trialOf(site, group) ?? []);
  const batches = batchesOf(trials, ({ turns }) => turns[0].arm);
  const ready = new Map<GroupTrial, PreparedTrial>();
  for (const entry of order) {
    if (typeof entry === "string") results.push(await site.controls.run(entry, entry === withEcho));
    else if (!isGroup(entry)) await (cBaseline as CBaselineBoard).run(entry, round, elapsedMs(site), random);
    else {
      const trial = trials.find(({ group }) => group === entry);
      if (trial === undefined) continue;
      if (!ready.has(trial)) await getReady(site, batches.find((batch) => batch.includes(trial)) ?? [], ready);
      const onTurn = (arm: Arm): void => progress.step(`round ${round}  ${describeArm(arm)}`);
      const outcomes = await runTrial(site.supervisor, site.place, ready.get(trial) as PreparedTrial, onTurn);
      for (const { arm, order: cells } of trial.turns) {
        const outcome = outcomes.get(arm) as ArmOutcome;
        const startedAtMs = outcome.startedMs - site.startedMs;
        noteCells(site.records.get(arm) as ArmRecord, cells, outcome, { round, startedAtMs });
      }
    }
  }
  finish(results);
}

function isGroup(entry: object | string): entry is PlannedGroup {
  return typeof entry === "object" && "arms" in entry;
}

/** Part of a round that belongs to one group. */
interface GroupTrial {
  readonly group: PlannedGroup;
  readonly turns: readonly [PlannedTurn, ...PlannedTurn[]];
}

/** Part of a round that belongs to one arm: its cells in the order in which they will run. */
interface PlannedTurn extends TrialTurn {
  readonly order: readonly PlannedCell[];
}

/** Returns the trial of a group; undefined where none of its cells is worth its time any more. */
function trialOf({ records, random }: RoundSite, group: PlannedGroup): GroupTrial | undefined {
  const turns = shuffled(group.arms, random).flatMap(({ arm, cells }): PlannedTurn[] => {
    const record = records.get(arm) as ArmRecord;
    const order = shuffled(
      cells.filter(({ cell }) => record.worthRunning(cell)),
      random,
    );
    return order.length === 0 ? [] : [{ arm, order, cells: cellPlans(order, () => Math.floor(random() * 2 ** 32)) }];
  });
  const [first, ...rest] = turns;
  return first === undefined ? undefined : { group, turns: [first, ...rest] };
}

/** Gets all of these ready at once. Nothing is measured meanwhile, so they may use all CPUs. */
async function getReady(
  { supervisor, place, inactivityTimeoutMs }: RoundSite,
  trials: readonly GroupTrial[],
  ready: Map<GroupTrial, PreparedTrial>,
): Promise<void> {
  await Promise.all(
    trials.map(async (trial) => {
      const longestMs = Math.max(...trial.turns.flatMap(({ order }) => order.map(({ plannedMs }) => plannedMs)));
      const { turns, group } = trial;
      const { plannedMs } = group;
      const job = {
        work: { kind: "measure" },
        turns,
        plannedMs,
        inactivityTimeoutMs: inactivityTimeoutOf(inactivityTimeoutMs, longestMs),
      } as const;
      ready.set(trial, await prepareTrial(supervisor, place, job));
    }),
  );
}

/** Records the outcome of each cell of one turn. @param when number of the round, and ms since the run began */
export function noteCells(
  record: ArmRecord,
  order: readonly PlannedCell[],
  outcome: ArmOutcome,
  { round, startedAtMs }: { readonly round: number; readonly startedAtMs: number },
): void {
  const { results, obstacles } = outcome;
  record.meet(outcome);
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

/** Returns the time since the clock of the run was started, ms. */
export function elapsedMs({ startedMs }: Pick<RoundSite, "startedMs">): number {
  return performance.now() - startedMs;
}

/** Names an arm for the progress line. */
export function describeArm({ transport, mode, placement, peerLanguage, clientLanguage, codec }: Arm): string {
  const client = clientLanguage === undefined ? "" : `, ${clientLanguage} client`;
  const peer = runsOnNode(peerLanguage) ? client : `${client}, ${peerLanguage} peer`;
  return `${transport.id} (${mode}, ${placement}${peer}${codec === undefined ? "" : `, ${codec}`})`;
}
