import type { Place } from "../../transports/contract/transport.ts";
import type { CellFigures, CellPlan, CellResult, DriverReady, DriverStart } from "../process/messages.ts";
import { movePinned } from "../process/pinning.ts";
import { oneLine } from "../process/rules.ts";
import { encodeHistogram } from "../results/histogram.ts";
import type { Quantiles, Trial } from "../results/model.ts";
import { unpackSamples } from "../results/packed-samples.ts";
import { enoughSamples } from "../results/quantiles.ts";
import type { Arm } from "./arm.ts";
import type { Brood, Prepared } from "./run-driver.ts";

/** A trial that takes this much longer than planned is broken. */
const TIMEOUT_FACTOR = 10;
const TIMEOUT_FLOOR_MS = 45_000;
/** Start-up of driver and peer on a busy machine; a cell reports within this and ten times its plan. */
const SILENCE_MS = 25_000;

/** Pairs of processes that get ready at the same time, then wait without running until it is their turn. */
const SIDE_BY_SIDE = 4;

/** What may get ready together, in the order given: a mechanism that looks around while it waits would disturb the turns of others. */
export function batchesOf<Item>(items: readonly Item[], armOf: (item: Item) => Arm): Item[][] {
  const silent = items.filter((item) => armOf(item).transport.looksAround !== true);
  const batches: Item[][] = [];
  for (let from = 0; from < silent.length; from += SIDE_BY_SIDE) batches.push(silent.slice(from, from + SIDE_BY_SIDE));
  return [...batches, ...items.filter((item) => !silent.includes(item)).map((item) => [item])];
}

export interface ArmRun {
  readonly cells: readonly CellResult[];
  /** Why the driver ended early, if it did. */
  readonly failure: string | undefined;
  /** The failure was a shortage of this machine. */
  readonly shortage: boolean;
  /** Key of the cell it was busy with last. */
  readonly lastBegun: string | undefined;
  /** The processes did not run where they were put: nothing of this run counts. */
  readonly misplaced: string | undefined;
  readonly ready: DriverReady | null;
  /** From its turn to the end of both processes. */
  readonly durationMs: number;
}

/** A driver and a peer that have everything ready and wait, see `DriverStart.hold`. */
export interface PreparedArm {
  readonly job: ArmJob;
  /** The driver and what it has started so far; empty when it has ended already. */
  readonly pids: readonly number[];
  /** Their turn. */
  run(): Promise<ArmRun>;
}

/** How long a driver may say nothing that runs cells which are planned to take so long. */
export function silenceOf(startMs: number | undefined, longestCellMs: number): number {
  return (startMs ?? SILENCE_MS) + TIMEOUT_FACTOR * longestCellMs;
}

export interface ArmJob {
  readonly arm: Arm;
  readonly work: { readonly kind: "calibrate"; readonly budgetMs: number } | { readonly kind: "measure" };
  readonly cells: readonly CellPlan[];
  readonly plannedMs: number;
  readonly silenceMs?: number;
}

/** Starts one fresh driver, and by it one fresh peer, for these cells. Several may get ready at the same time. Never rejects. */
export async function prepareArm(brood: Brood, place: Place, job: ArmJob): Promise<PreparedArm> {
  const { arm, work, cells, plannedMs } = job;
  const { cpus } = arm;
  const start: DriverStart = {
    type: "start",
    transport: arm.reference,
    mode: arm.mode,
    place,
    peerPin: cpus.peerPin,
    hold: { pin: cpus.readyPin },
    peerLanguage: arm.peerLanguage,
    peerProgram: arm.peerProgram,
    peerEarly: arm.peerLanguage === "node" && arm.transport.capabilities.rendezvous === "address",
    ...(arm.codec === undefined ? {} : { codec: arm.codec }),
    work: { ...work, cells },
  };
  const results: CellResult[] = [];
  let lastBegun: string | undefined;
  let crash: string | undefined;
  const prepared = await brood.prepare({
    start,
    pin: cpus.readyPin,
    timeoutMs: TIMEOUT_FLOOR_MS + TIMEOUT_FACTOR * plannedMs,
    silenceMs: job.silenceMs ?? silenceOf(undefined, plannedMs),
    onResult: (message) => {
      if (message.type !== "cell" && message.type !== "cell-begun") return `reported ${message.type} instead of a cell`;
      const key = oneLine(message.key);
      if (!cells.some((cell) => cell.key === message.key)) return `reported the cell ${key}, which was not asked for`;
      const earlier = results.findIndex((result) => result.key === message.key);
      if (message.type === "cell-begun") lastBegun = message.key;
      else if (earlier < 0) results.push(message);
      else {
        // At least one of the two is forged.
        results.splice(earlier, 1);
        return `reported the cell ${key} twice`;
      }
      return undefined;
    },
    onCrash: (what) => {
      crash ??= what;
    },
  });
  // What ends it from here on is not what it did to get ready.
  if (prepared.driverPid !== undefined) lastBegun = undefined;
  const obstacle = moveToCpus(prepared, arm);
  return {
    job,
    pids: prepared.driverPid === undefined ? [] : [...new Set([prepared.driverPid, ...prepared.spawned])],
    async run() {
      const startedMs = performance.now();
      const outcome = await prepared.finish();
      return {
        cells: crash === undefined ? results : results.map((result) => explained(result, crash as string)),
        failure: outcome.status === "failed" ? outcome.reason : undefined,
        shortage: outcome.status === "failed" && outcome.shortage === true,
        lastBegun,
        misplaced: outcome.ready === null ? undefined : (obstacle ?? misplaced(arm, outcome.ready)),
        ready: outcome.ready,
        durationMs: performance.now() - startedMs,
      };
    },
  };
}

/** Why a cell has no result, or none that counts. */
export interface Obstacle {
  readonly reason: string;
  /** A shortage of this machine. */
  readonly shortage: boolean;
}

/** What became of the cells of an arm, by key: each has a result or an obstacle; both when its driver could not end after it. */
export interface ArmOutcome {
  readonly results: ReadonlyMap<string, CellResult>;
  readonly obstacles: ReadonlyMap<string, Obstacle>;
  /** The last run, in most cases the only one. */
  readonly last: ArmRun;
}

/** Its turn, to the end of every cell: what a broken cell kept from running goes on at once in a fresh pair of processes. */
export async function runArm(brood: Brood, place: Place, first: PreparedArm): Promise<ArmOutcome> {
  const { job } = first;
  const results = new Map<string, CellResult>();
  const obstacles = new Map<string, Obstacle>();
  let left = job.cells;
  let last = await first.run();
  for (;;) {
    if (last.misplaced === undefined) for (const result of last.cells) results.set(result.key, result);
    for (const key of blamed(left, last)) {
      const reason = last.misplaced ?? last.failure ?? "its driver ended without a result";
      obstacles.set(key, { reason, shortage: last.misplaced === undefined && last.shortage });
    }
    left = left.filter(({ key }) => !results.has(key) && !obstacles.has(key));
    if (left.length === 0) return { results, obstacles, last };
    last = await (await prepareArm(brood, place, { ...job, cells: left })).run();
  }
}

/** The cell at which a driver failed, or all of them when it came to none; so each run leaves fewer cells than it found. */
function blamed(cells: readonly CellPlan[], { cells: results, failure, lastBegun, misplaced }: ArmRun): string[] {
  const keys = cells.map(({ key }) => key);
  if (misplaced !== undefined) return keys;
  if (failure === undefined) return results.length === 0 ? keys : [];
  return lastBegun === undefined ? keys : [lastBegun];
}

/** The loss that a driver notices says less than the crash that caused it. */
function explained(result: CellResult, crash: string): CellResult {
  const { outcome } = result;
  if (outcome.status !== "invalid") return result;
  return { ...result, outcome: { ...outcome, reason: `${crash}: ${outcome.reason}` } };
}

/** Undefined when they are there. */
function moveToCpus({ driverPid, spawned }: Prepared, { cpus }: Arm): string | undefined {
  if (driverPid === undefined || cpus.driverPin.length === 0) return undefined;
  const peers = [...spawned].filter((pid) => pid !== driverPid);
  try {
    movePinned(driverPid, cpus.driver);
    for (const pid of peers) movePinned(pid, cpus.peer);
    return undefined;
  } catch (error) {
    return `its processes could not be moved to their CPUs: ${(error as Error).message.split("\n")[0]}`;
  }
}

/** What the processes read back must be what was asked for. */
function misplaced(arm: Arm, ready: DriverReady | null): string | undefined {
  const { driver, peer } = arm.cpus;
  if (ready === null || arm.cpus.driverPin.length === 0) return undefined;
  if (ready.cpus !== null && ready.cpus !== driver) return `the driver ran on CPU ${ready.cpus} instead of ${driver}`;
  const inside = arm.transport.capabilities.rendezvous === "process";
  const peerCpus = ready.peer?.cpus ?? null;
  if (!inside && peerCpus !== null && peerCpus !== peer) return `the peer ran on CPU ${peerCpus} instead of ${peer}`;
  return undefined;
}

/** A cell of one trial as the report keeps it. */
export function toTrial(round: number, startedAtMs: number, result: CellResult): Trial {
  const { outcome } = result;
  const { figures } = outcome;
  const base = { round, startedAtMs: Math.round(startedAtMs) };
  const verdict =
    outcome.status === "valid"
      ? { status: "valid" as const }
      : {
          status: "invalid" as const,
          reason: outcome.reason,
          ...(outcome.status === "refused" ? { refused: true } : {}),
        };
  if (figures === null) return { ...base, ...verdict, ...NOTHING };
  const per = (total: number | null): number | null =>
    total === null || figures.messages === 0 ? null : total / figures.messages;
  return {
    ...base,
    ...verdict,
    ...(figures.latencyNs === null ? {} : { latencyNs: quantilesOf(figures.latencyNs) }),
    messagesPerSecond: figures.elapsedNs > 0 ? (figures.messages / figures.elapsedNs) * 1e9 : 0,
    cpuNsPerMessage: per(figures.cpuNs),
    contextSwitchesPerMessage: per(figures.contextSwitches),
    voluntarySwitchesPerMessage: per(figures.voluntarySwitches),
    involuntarySwitchesPerMessage: per(figures.involuntarySwitches),
    peakMemoryBytes: figures.peakMemoryBytes,
    peakMemory: figures.peakMemory,
    gcPauseNs: figures.gcPauseNs,
    lost: figures.lost,
    duplicated: figures.duplicated,
    reordered: figures.reordered,
    corrupted: figures.corrupted,
    ...(figures.samples === null ? {} : { histogram: encodeHistogram(unpackSamples(figures.samples)) }),
    ...(figures.halvesNs === null ? {} : { halvesNs: figures.halvesNs }),
    ...(figures.latenessNs === null ? {} : { latenessNs: figures.latenessNs }),
    ...(figures.idleCpuShare === null ? {} : { idleCpuShare: figures.idleCpuShare }),
    ...(figures.phasesNs === null ? {} : { phasesNs: figures.phasesNs }),
  };
}

export function quantilesOf(latencyNs: NonNullable<CellFigures["latencyNs"]>): Quantiles {
  const { count, min, p50, p90, p99, p999, max, mean } = latencyNs;
  const shown = (q: number): boolean => enoughSamples(q, count);
  return {
    count,
    min,
    p50,
    ...(shown(0.9) ? { p90 } : {}),
    ...(shown(0.99) ? { p99 } : {}),
    ...(shown(0.999) ? { p999 } : {}),
    max,
    mean,
  };
}

/** A trial of which nothing was counted. */
export const NOTHING = {
  messagesPerSecond: 0,
  cpuNsPerMessage: null,
  contextSwitchesPerMessage: null,
  peakMemoryBytes: null,
  gcPauseNs: null,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  corrupted: 0,
} as const;
