import type { Place } from "../../transports/contract/transport.ts";
import { shuffled } from "../results/random.ts";
import { type Arm, type Cell, cellKey } from "./arm.ts";
import { cellPlans, type PlannedArm } from "./plan.ts";
import type { ProcessSupervisor } from "./process-supervisor.ts";
import type { Progress } from "./progress.ts";
import { type ArmOutcome, type Obstacle, type PreparedTrial, prepareTrial, runTrial } from "./trial.ts";

/** The same arm of both sides, with the counts of the head for both. */
export interface PairedArm {
  readonly head: PlannedArm;
  readonly base: Arm;
  /** Planned time of one trial of either side. */
  readonly plannedMs: number;
}

/** Figures of one side of a pair: times in ns. */
export interface PairSide {
  readonly p50: number;
  readonly p99: number;
  /** Time of the window divided by its messages. */
  readonly messageNs: number;
  /** CPU time of both processes per message; null where the system does not report it. */
  readonly cpuNs: number | null;
  readonly messages: number;
}

/** Figures of both sides; or the reason why there are none. */
export type PairOutcome =
  | { readonly base: PairSide; readonly head: PairSide; readonly headFirst: boolean }
  | {
      readonly reason: string;
      /** True where the head failed or lost messages while the base did its work. */
      readonly headAlone: boolean;
    };

export interface PairRequest {
  readonly arms: readonly PairedArm[];
  readonly pairs: number;
  /** True where a cell of an arm still matters. */
  readonly wanted: (arm: PairedArm, cell: Cell) => boolean;
  readonly random: () => number;
  /** Returns what else runs in a round, at a random place between the arms. */
  readonly beside?: () => readonly (() => Promise<void>)[];
  readonly onPair: (arm: PairedArm, cell: Cell, outcome: PairOutcome) => void;
  /** Called after each pair of trials, with its time. */
  readonly onTrials: (arm: PairedArm, cells: readonly Cell[], ms: number) => void;
  /** Name for the progress line. */
  readonly stage: string;
  /** Called after each round, with the number of rounds done. */
  readonly onRound: (done: number) => void;
}

/** Runs pairs of fresh trials: in each round every arm once, its two sides in random order next to each other. */
export async function runPairs(
  supervisor: ProcessSupervisor,
  place: Place,
  request: PairRequest,
  progress: Progress,
): Promise<void> {
  const { arms, pairs, wanted, random, beside, onPair, onTrials, onRound, stage } = request;
  for (let pair = 1; pair <= pairs; pair++) {
    for (const arm of shuffled([...arms, ...(beside?.() ?? [])], random)) {
      if (typeof arm === "function") {
        await arm();
        continue;
      }
      const cells = arm.head.cells.filter(({ cell }) => wanted(arm, cell));
      if (cells.length === 0) continue;
      progress.step(`${stage} ${pair}/${pairs}  ${arm.base.transport.id} (${arm.base.mode}, ${arm.base.placement})`);
      const startedMs = performance.now();
      const order = shuffled(cells, random);
      // The same order of cells and the same seeds on both sides: only the code differs.
      const plans = cellPlans(order, () => Math.floor(random() * 2 ** 32));
      const ready = (side: Arm): Promise<PreparedTrial> => {
        const turns = [{ arm: side, cells: plans }] as const;
        return prepareTrial(supervisor, place, { work: { kind: "measure" }, turns, plannedMs: arm.plannedMs });
      };
      const headFirst = random() < 0.5;
      const sides = headFirst ? [arm.head.arm, arm.base] : [arm.base, arm.head.arm];
      const runs = new Map<Arm, ArmOutcome>();
      // Both get ready side by side if they sleep when idle, then each has the machine to itself.
      const isSilent = sides.every(({ transport }) => transport.activeWhenIdle !== true);
      for (const together of isSilent ? [sides] : sides.map((side) => [side])) {
        const prepared = await Promise.all(together.map(ready));
        for (const each of prepared) {
          for (const [side, outcome] of await runTrial(supervisor, place, each)) runs.set(side, outcome);
        }
      }
      const [head, base] = [runs.get(arm.head.arm), runs.get(arm.base)] as [ArmOutcome, ArmOutcome];
      onTrials(
        arm,
        order.map(({ cell }) => cell),
        performance.now() - startedMs,
      );
      for (const { cell } of order) onPair(arm, cell, outcomeOf(cell, base, head, headFirst));
    }
    onRound(pair);
  }
}

function outcomeOf(cell: Cell, base: ArmOutcome, head: ArmOutcome, headFirst: boolean): PairOutcome {
  const [ofBase, ofHead] = [sideOf(cell, base), sideOf(cell, head)];
  if ("reason" in ofBase) return { reason: `base: ${ofBase.reason}`, headAlone: false };
  if ("reason" in ofHead) return { reason: `head: ${ofHead.reason}`, headAlone: !ofHead.shortage };
  return { base: ofBase, head: ofHead, headFirst };
}

/** Returns the figures, or a reason. A lost or wrong message makes a trial invalid, as does a p50 that is no number. */
function sideOf(cell: Cell, { results, obstacles }: ArmOutcome): PairSide | Obstacle {
  const outcome = results.get(cellKey(cell))?.outcome;
  if (outcome === undefined) return obstacles.get(cellKey(cell)) ?? { reason: "no result", shortage: true };
  if (outcome.status !== "valid") return { reason: outcome.reason, shortage: outcome.status !== "invalid" };
  const { latencyNs, messages, elapsedNs, cpuNs } = outcome.figures;
  if (latencyNs === null || !(latencyNs.p50 > 0 && Number.isFinite(latencyNs.p50))) {
    return { reason: "no p50", shortage: false };
  }
  const { p50, p99 } = latencyNs;
  return { p50, p99, messageNs: elapsedNs / messages, cpuNs: cpuNs === null ? null : cpuNs / messages, messages };
}
