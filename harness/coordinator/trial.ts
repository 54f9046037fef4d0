import type { Place } from "../../transports/contract/transport.ts";
import { runsOnNode } from "../process/language.ts";
import type { CellFigures, CellPlan, CellResult, DriverReady, DriverStart, GroupSummary } from "../process/messages.ts";
import { movePinned } from "../process/pinning.ts";
import { processTree } from "../process/process-tree.ts";
import { oneLine } from "../process/rules.ts";
import { encodeHistogram } from "../results/histogram.ts";
import type { GroupFigures, Trial, TrialFigures } from "../results/model.ts";
import { unpackSamples } from "../results/packed-samples.ts";
import { quantilesOf } from "../results/samples.ts";
import type { Arm } from "./arm.ts";
import type { DriverResult, Prepared, ProcessSupervisor } from "./process-supervisor.ts";

/** Multiple of the planned time after which a trial counts as broken. */
const TIMEOUT_FACTOR = 10;
const TIMEOUT_FLOOR_MS = 45_000;
/** Longest start of driver and peer on a busy machine; a cell reports within this and ten times its plan. */
const SILENCE_MS = 25_000;

/** Number of pairs of processes that get ready at the same time, then wait without running until their turn. */
const SIDE_BY_SIDE = 4;

/** Groups items that may get ready together, in order: a mechanism that is active when idle would disturb others. */
export function batchesOf<Item>(items: readonly Item[], armOf: (item: Item) => Arm): Item[][] {
  const silent = items.filter((item) => armOf(item).transport.activeWhenIdle !== true);
  const batches: Item[][] = [];
  for (let from = 0; from < silent.length; from += SIDE_BY_SIDE) batches.push(silent.slice(from, from + SIDE_BY_SIDE));
  return [...batches, ...items.filter((item) => !silent.includes(item)).map((item) => [item])];
}

export interface ArmRun {
  readonly cells: readonly CellResult[];
  /** Reason why the driver ended early, if it did. */
  readonly failure: string | undefined;
  /** True where the failure was a shortage of this machine. */
  readonly shortage: boolean;
  /** Key of the cell it was busy with last. */
  readonly lastBegun: string | undefined;
  /** Reason why the processes did not run where they were put: then nothing of this run counts. */
  readonly misplaced: string | undefined;
  readonly ready: DriverReady | null;
  /** Time from the result of the last cell to the end of the turn; for the last turn, to the end of both processes. */
  readonly endMs: number;
}

/** Driver and peer that have everything ready and wait, see `DriverStart.hold`. */
export interface PreparedTrial {
  readonly job: TrialJob;
  /** Pids of the driver and its processes so far; empty when it has ended already. */
  readonly pids: readonly number[];
  /**
   * Moves the processes to the CPUs of the next arm of the job and runs its cells. To be called once for each arm, in
   * order. When the driver ended before its first turn, each turn has that failure. When it ended in an earlier turn,
   * this one has neither results nor a failure. Never rejects.
   */
  runTurn(): Promise<ArmRun>;
}

/** Returns the longest silence allowed to a driver; its longest cell is planned to take `longestCellMs`. */
export function inactivityTimeoutOf(startMs: number | undefined, longestCellMs: number): number {
  return (startMs ?? SILENCE_MS) + TIMEOUT_FACTOR * longestCellMs;
}

export interface TrialJob {
  readonly work: { readonly kind: "calibrate"; readonly budgetMs: number } | { readonly kind: "measure" };
  /** Arms that differ in their placement only. */
  readonly turns: readonly [TrialTurn, ...TrialTurn[]];
  readonly plannedMs: number;
  readonly inactivityTimeoutMs?: number;
}

export interface TrialTurn {
  readonly arm: Arm;
  readonly cells: readonly CellPlan[];
}

/** Starts one fresh driver and its fresh peer for these turns. Several may get ready at once. Never rejects. */
export async function prepareTrial(supervisor: ProcessSupervisor, place: Place, job: TrialJob): Promise<PreparedTrial> {
  const log = new TurnLog(job.turns);
  const { plannedMs } = job;
  const { arm } = job.turns[0];
  const prepared = await supervisor.prepare({
    start: startOf(job, place),
    pin: arm.cpus.readyPin,
    ...(arm.env === undefined ? {} : { env: arm.env }),
    startsPeer: runsOnNode(arm.peerLanguage) && arm.transport.capabilities.rendezvous === "address",
    timeoutMs: TIMEOUT_FLOOR_MS + TIMEOUT_FACTOR * plannedMs,
    inactivityTimeoutMs: job.inactivityTimeoutMs ?? inactivityTimeoutOf(undefined, plannedMs),
    onResult: (message) => log.add(message),
    onCrash: (what) => {
      log.crash ??= what;
    },
  });
  const isReady = prepared.driverPid !== undefined;
  // The driver is ready: if it ends later, the cell that it prepared last is not the cause.
  if (isReady) log.lastBegun = undefined;
  // Only the pair. Client processes of a turn start later, and have ended before the next turn.
  const pids = prepared.driverPid === undefined ? [] : [...new Set([prepared.driverPid, ...prepared.spawned])];
  let isOver = false;
  return {
    job,
    pids,
    async runTurn() {
      log.begin();
      if (isOver) return NOT_RUN;
      const { arm } = log.turn;
      const obstacle = moveToCpus(prepared, arm);
      const outcome = await (log.isLast ? prepared.finish() : prepared.turn());
      isOver = isReady && outcome.status !== "waiting";
      return {
        cells: log.results(),
        failure: outcome.status === "failed" ? log.explain(outcome.reason) : undefined,
        shortage: outcome.status === "failed" && outcome.shortage === true,
        lastBegun: log.lastBegun,
        misplaced: outcome.ready === null ? undefined : (obstacle ?? misplaced(arm, outcome.ready)),
        ready: outcome.ready,
        endMs: performance.now() - log.lastResultMs,
      };
    },
  };
}

const NOT_RUN: ArmRun = {
  cells: [],
  failure: undefined,
  shortage: false,
  lastBegun: undefined,
  misplaced: undefined,
  ready: null,
  endMs: 0,
};

function startOf({ work, turns }: TrialJob, place: Place): DriverStart {
  const [{ arm }] = turns;
  return {
    type: "start",
    transport: arm.reference,
    mode: arm.mode,
    place,
    peerPin: arm.cpus.peerPin,
    hold: { pin: arm.cpus.readyPin },
    peerLanguage: arm.peerLanguage,
    peerProgram: arm.peerProgram,
    ...(arm.clientLanguage === undefined
      ? {}
      : { clientLanguage: arm.clientLanguage, clientProgram: arm.clientProgram }),
    ...(arm.codec === undefined ? {} : { codec: arm.codec }),
    ...(arm.recorded === undefined ? {} : { recorded: arm.recorded }),
    work: { ...work, turns: turns.map(({ cells }) => cells) },
  };
}

/** Messages of a driver, turn by turn. */
class TurnLog {
  /** Key of the cell it was busy with last. */
  lastBegun: string | undefined;
  crash: string | undefined;
  /** `performance.now()` of the newest result, or of the begin of the turn. */
  lastResultMs = 0;
  readonly #turns: readonly [TrialTurn, ...TrialTurn[]];
  #at = -1;
  #results: CellResult[] = [];

  constructor(turns: readonly [TrialTurn, ...TrialTurn[]]) {
    this.#turns = turns;
  }

  begin(): void {
    this.#results = [];
    this.#at++;
    this.lastResultMs = performance.now();
  }

  get turn(): TrialTurn {
    return this.#turns[Math.max(0, this.#at)] as TrialTurn;
  }

  get isLast(): boolean {
    return this.#at === this.#turns.length - 1;
  }

  results(): readonly CellResult[] {
    return this.#results.map((result) => {
      const { outcome } = result;
      if (outcome.status !== "invalid") return result;
      return { ...result, outcome: { ...outcome, reason: this.explain(outcome.reason) } };
    });
  }

  /** Puts the crash, if there was one, before the loss that a driver noticed. */
  explain(reason: string): string {
    return this.crash === undefined ? reason : `${this.crash}: ${reason}`;
  }

  /** @returns why this message cannot belong to this turn */
  add(message: DriverResult): string | undefined {
    if (message.type !== "cell" && message.type !== "cell-begun") return `reported ${message.type} instead of a cell`;
    const key = oneLine(message.key);
    // Before its first turn a driver prewarms the cells of all turns.
    const turns = this.#at < 0 ? this.#turns : [this.turn];
    if (!turns.some(({ cells }) => cells.some((cell) => cell.key === message.key))) {
      return `reported the cell ${key}, which was not asked for`;
    }
    this.lastResultMs = performance.now();
    const earlier = this.#results.findIndex((result) => result.key === message.key);
    if (message.type === "cell-begun") this.lastBegun = message.key;
    else if (earlier < 0) this.#results.push(message);
    else {
      // At least one of the two is forged.
      this.#results.splice(earlier, 1);
      return `reported the cell ${key} twice`;
    }
    return undefined;
  }
}

/** Reason why a cell has no result, or none that counts. */
export interface Obstacle {
  readonly reason: string;
  /** True for a shortage of this machine. */
  readonly shortage: boolean;
}

/** Outcome of the cells of an arm, by key: a result or an obstacle; both when its driver could not end after it. */
export interface ArmOutcome {
  readonly results: Map<string, CellResult>;
  readonly obstacles: Map<string, Obstacle>;
  /** `performance.now()` at its first turn. */
  startedMs: number;
  /** Peer of the last run, and its client where that is in another language. */
  peer: DriverReady["peer"] | undefined;
  client: DriverReady["client"] | undefined;
  /** Time from the last results to the end of the processes, over all runs. */
  endMs: number;
}

/** Runs every cell of all turns. After a broken cell the others go on at once in fresh processes. */
export async function runTrial(
  supervisor: ProcessSupervisor,
  place: Place,
  first: PreparedTrial,
  onTurn: (arm: Arm) => void = () => {},
): Promise<ReadonlyMap<Arm, ArmOutcome>> {
  const outcomes = new Map(first.job.turns.map(({ arm }) => [arm, newOutcome()]));
  let prepared = first;
  for (;;) {
    const { job } = prepared;
    for (const turn of job.turns) {
      const outcome = outcomes.get(turn.arm) as ArmOutcome;
      onTurn(turn.arm);
      outcome.startedMs ||= performance.now();
      settle(turn, await prepared.runTurn(), outcome);
    }
    const [next, ...others] = job.turns.flatMap(({ arm, cells }): TrialTurn[] => {
      const { results, obstacles } = outcomes.get(arm) as ArmOutcome;
      const left = cells.filter(({ key }) => !results.has(key) && !obstacles.has(key));
      return left.length === 0 ? [] : [{ arm, cells: left }];
    });
    if (next === undefined) return outcomes;
    prepared = await prepareTrial(supervisor, place, { ...job, turns: [next, ...others] });
  }
}

function newOutcome(): ArmOutcome {
  return { results: new Map(), obstacles: new Map(), startedMs: 0, peer: undefined, client: undefined, endMs: 0 };
}

function settle({ cells }: TrialTurn, run: ArmRun, outcome: ArmOutcome): void {
  if (run.misplaced === undefined) for (const result of run.cells) outcome.results.set(result.key, result);
  for (const key of blamed(cells, run)) {
    const reason = run.misplaced ?? run.failure ?? "its driver ended without a result";
    outcome.obstacles.set(key, { reason, shortage: run.misplaced === undefined && run.shortage });
  }
  outcome.peer = run.ready?.peer ?? outcome.peer;
  outcome.client = run.ready?.client ?? outcome.client;
  outcome.endMs += run.endMs;
}

/**
 * Returns the cell at which a driver failed, or all cells when it reached none. So each run leaves fewer cells to do.
 * Returns none when the driver ended in an earlier turn, or in a cell that this arm does not have.
 */
function blamed(cells: readonly CellPlan[], run: ArmRun): string[] {
  const { cells: results, failure, lastBegun, misplaced } = run;
  const keys = cells.map(({ key }) => key);
  if (run === NOT_RUN) return [];
  if (misplaced !== undefined) return keys;
  if (failure === undefined) return results.length === 0 ? keys : [];
  return lastBegun === undefined ? keys : keys.filter((key) => key === lastBegun);
}

/** Moves processes to CPUs. @returns undefined when they are there */
function moveToCpus({ driverPid, spawned, clients }: Prepared, { cpus, transport }: Arm): string | undefined {
  if (driverPid === undefined || cpus.driverPin.length === 0) return undefined;
  const peers = [...spawned].filter((pid) => !clients.has(pid) && pid !== driverPid);
  try {
    for (const pid of [driverPid, ...clients]) movePinned(pid, cpus.driver);
    const isAlone = transport.program === undefined && transport.capabilities.broker === undefined;
    for (const pid of isAlone ? peers : peers.flatMap(withDescendants)) movePinned(pid, cpus.peer);
    return undefined;
  } catch (error) {
    return `its processes could not be moved to their CPUs: ${(error as Error).message.split("\n")[0]}`;
  }
}

/** Lists a process and those it has started: a program of the user's may be several, and a server may have a broker. */
function withDescendants(pid: number): number[] {
  return [...new Set([pid, ...processTree(pid)])];
}

/** Compares the CPUs that the processes read back with those asked for. */
function misplaced(arm: Arm, ready: DriverReady | null): string | undefined {
  const { driver, peer } = arm.cpus;
  if (ready === null || arm.cpus.driverPin.length === 0) return undefined;
  if (ready.cpus !== null && ready.cpus !== driver) return `the driver ran on CPU ${ready.cpus} instead of ${driver}`;
  const inside = arm.transport.capabilities.rendezvous === "process";
  const peerCpus = ready.peer?.cpus ?? null;
  if (!inside && peerCpus !== null && peerCpus !== peer) return `the peer ran on CPU ${peerCpus} instead of ${peer}`;
  return undefined;
}

function groupOf({ name, latencyNs }: GroupSummary): GroupFigures {
  return { name, latencyNs: quantilesOf(latencyNs) };
}

/** Returns a cell of one trial as the report keeps it. */
export function toTrial(round: number, startedAtMs: number, { outcome }: CellResult): Trial {
  const base = { round, startedAtMs: Math.round(startedAtMs) };
  if (outcome.status === "valid") return { ...base, status: "valid", ...figuresOf(outcome.figures) };
  const status = outcome.status === "refused" ? "refused" : "invalid";
  const evidence = outcome.figures === null ? {} : { evidence: figuresOf(outcome.figures) };
  return { ...base, status, reason: outcome.reason, ...evidence };
}

function figuresOf(figures: CellFigures): TrialFigures {
  const per = (total: number | null): number | null =>
    total === null || figures.messages === 0 ? null : total / figures.messages;
  return {
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
    ...(figures.serverMemory === null ? {} : { serverMemory: figures.serverMemory }),
    ...(figures.groups === undefined ? {} : { groups: figures.groups.map(groupOf) }),
  };
}
