import { IpcError, shortageIn } from "../../transports/contract/errors.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { shareCompiledCode } from "../process/compiled-code.ts";
import { allowedCpuListOfThreads } from "../process/cpus.ts";
import { withoutNames } from "../process/failure.ts";
import { allocate } from "../process/journal.ts";
import type {
  CalibrateWork,
  CellPlan,
  CellResult,
  DriverReady,
  DriverStart,
  FromDriver,
  MeasureWork,
} from "../process/messages.ts";
import { watchGarbageCollection } from "../process/usage.ts";
import { calibrateRate } from "./calibrate-rate.ts";
import { isForeign, usages } from "./costs.ts";
import { figuresOf, problemOf } from "./figures.ts";
import { closedStep, FIRST_STEP } from "./first-step.ts";
import { closeLink, openLink } from "./link.ts";
import { findModel } from "./models/index.ts";
import type { Link, PreparedModel, Site, Window } from "./models/model.ts";
import type { PeerProcess } from "./peers/peer-process.ts";
import type { ForeignLink, ForeignSite } from "./peers/python-client.ts";
import { explained, type RunningPeer } from "./peers/running-peer.ts";
import { startPeer } from "./peers/start-peer.ts";

/** Exit code by which a shell reports a process that SIGTERM ended. */
const SIGTERM_EXIT = 143;
const MAX_STEP_FACTOR = 16;
const MAX_STEP = 2_000_000;
/** Number of windows that share the time of a calibration. */
const CALIBRATING_WINDOWS = 3;
const FIRST_AHEAD_STEP = 20;
/** Time limit of prewarming, as a multiple of its CPU limit, which a mechanism that mostly waits never reaches. */
const AHEAD_WAIT_FACTOR = 2;
/** First step of a warm-up, when the speed is unknown; later steps double. */
const FIRST_WARMUP_STEP = 50;

/** Site of a trial, whatever the language of its client. */
type AnySite = Site | ForeignSite;

export interface TrialJob {
  readonly transport: Transport;
  readonly start: DriverStart;
  readonly work: CalibrateWork | MeasureWork;
  readonly send: (message: FromDriver) => void;
  /** Resolves when a driver that holds (see {@link runCells}) may begin. */
  readonly begun: () => Promise<unknown>;
  readonly early?: PeerProcess;
}

/**
 * Runs one trial: a new peer, one connection, every cell of every turn in the given order.
 *
 * A driver that holds gets everything ready at the same time as others, up to the warm connection. Then it waits for
 * each of its turns, and may be moved to other CPUs before. Meanwhile an event loop is silent, because nobody sends
 * (transports for which this is not true declare `activeWhenIdle` and are started only for their turn). A blocking or
 * polling peer would stay active, so it is stopped until its turn.
 */
export async function runCells(job: TrialJob): Promise<void> {
  const { start, work, send } = job;
  // Loaded before the turn. If a model cannot be loaded, only its own cells fail.
  const models = new Set(work.turns.flatMap((cells) => cells.map(({ model }) => model)));
  await Promise.allSettled([...models].map(findModel));
  const site = await openSite(job);
  const { peer } = site.link;
  try {
    if (start.hold !== undefined && start.mode !== "event") thawAtEnd(peer);
    await warmAhead(site, work, send);
    // Calibrations are the first to load the code that all trials need.
    if (work.kind === "calibrate") shareCompiledCode();
    const isSound = await takeTurns(job, site);
    // After a cell that failed, a failure to close is not reported.
    await closeAny(site.link, start).catch((error: unknown) => {
      if (isSound) throw error;
    });
  } finally {
    await peer.stop();
  }
}

/**
 * Runs the cells of all turns until one is invalid, since lost or late messages affect later cells on the connection.
 * The coordinator starts a new pair for the others.
 *
 * @returns `true` when all were run
 */
async function takeTurns(job: TrialJob, site: AnySite): Promise<boolean> {
  const { start, work, send } = job;
  const { peer } = site.link;
  for (const cells of work.turns) {
    if (start.hold !== undefined) await untilTurn(job, peer);
    const { pid, ...client } = clientOf(site);
    send({ type: "ready", pid, cpus: allowedCpuListOfThreads(pid), peer: placed(peer.info), ...client });
    for (const cell of cells) {
      send({ type: "cell-begun", key: cell.key });
      const result = await withAccount(site, await runCell(site, cell, work));
      send(result);
      if (result.outcome.status === "invalid") return false;
    }
  }
  return true;
}

/** Returns the process that measures: this one, or the client in another language. */
function clientOf(site: AnySite): Pick<DriverReady, "pid" | "client"> {
  if (!isForeign(site)) return { pid: process.pid };
  const { pid, language, version } = site.link.client.info;
  return { pid, client: { language, version } };
}

/** Continues the peer if this driver ends early, because nothing else would continue a stopped process. */
function thawAtEnd(peer: RunningPeer): void {
  process.once("exit", peer.thaw);
  process.once("SIGTERM", () => process.exit(SIGTERM_EXIT));
}

async function untilTurn({ start, send, begun }: TrialJob, peer: RunningPeer): Promise<void> {
  const isSilent = start.mode === "event";
  if (!isSilent) peer.freeze();
  send({ type: "prepared" });
  try {
    await begun();
  } finally {
    if (!isSilent) peer.thaw();
  }
}

/** Starts a new peer and connects to it. */
async function openSite(job: TrialJob): Promise<AnySite> {
  const { transport, start, send, early } = job;
  const address = await allocate(transport, start.transport, start.place);
  const onSpawn = (pid: number): void => send({ type: "spawned", pid });
  const peer = await startPeer({
    transport,
    reference: start.transport,
    mode: start.mode,
    address,
    pin: start.hold?.pin ?? start.peerPin,
    language: start.peerLanguage,
    program: start.peerProgram,
    ...(start.codec === undefined ? {} : { codec: start.codec }),
    ...(start.recorded === undefined ? {} : { recorded: start.recorded }),
    onSpawn,
    ...(early === undefined ? {} : { early }),
  });
  watchGarbageCollection();
  const common = { transport, start, onSpawn };
  try {
    if (start.clientLanguage === undefined) return { ...common, link: await openLink(transport, start, peer) };
    return { ...common, link: await openForeign(job, peer) };
  } catch (error) {
    const account = await explained(transport.id, peer, (error as Error).message);
    await peer.stop();
    throw account === undefined ? error : new Error(account, { cause: error });
  }
}

/** Returns the peer with its present CPUs, since it may have been moved after it reported them. */
function placed(peer: RunningPeer["info"]): RunningPeer["info"] {
  const cpus = allowedCpuListOfThreads(peer.pid);
  return cpus === null ? peer : { ...peer, cpus };
}

/**
 * Runs every cell a little before any is measured, because a new process compiles its code during the first thousands
 * of messages, and all cells share most of the code.
 *
 * @throws Error of the first cell that fails, which is the last one begun; IPC_SHORTAGE if the machine is the cause
 */
async function warmAhead(site: AnySite, work: TrialJob["work"], send: TrialJob["send"]): Promise<void> {
  const { delivery } = site.transport.capabilities;
  const distinct = new Map(work.turns.flat().map((cell) => [cell.key, cell]));
  // A server may close a connection that was never used, and the first turn may come much later.
  if ([...distinct.values()].every(({ ahead }) => ahead === null)) await usages(site);
  for (const cell of distinct.values()) {
    const { ahead } = cell;
    if (ahead === null) continue;
    send({ type: "cell-begun", key: cell.key });
    const problem = await withModel(site, cell, async (model) => {
      // The request for usage differs from other messages: without one now, code would be compiled again in the window.
      await usages(site, model);
      const found = problemOf(await prewarm(ahead, model, delivery), delivery);
      return found === undefined ? undefined : invalid(cell, `during warm-up: ${found}`);
    });
    if (problem === undefined) continue;
    const { outcome } = await withAccount(site, problem);
    if (outcome.status === "valid") continue;
    const { status, reason } = outcome;
    if (status === "unavailable") throw new IpcError("IPC_SHORTAGE", reason, { transport: site.transport.id });
    throw new Error(reason);
  }
}

/** Adds that a user's program died, or the last line that it printed. */
async function withAccount({ link, transport }: AnySite, result: CellResult): Promise<CellResult> {
  const { outcome } = result;
  if (outcome.status !== "invalid") return result;
  const reason = (await explained(transport.id, link.peer, outcome.reason)) ?? outcome.reason;
  return { ...result, outcome: { ...outcome, reason } };
}

function runCell(site: AnySite, cell: CellPlan, work: TrialJob["work"]): Promise<CellResult> {
  return withModel(site, cell, (model) =>
    work.kind === "calibrate" ? calibrate(site, cell, model, work.budgetMs) : measure(site, cell, model),
  );
}

/** Prepares the model. If that fails (a client that does not start), only its own cell fails. */
async function withModel<Result>(
  site: AnySite,
  cell: CellPlan,
  run: (model: PreparedModel) => Promise<Result>,
): Promise<Result | CellResult> {
  let model: PreparedModel;
  try {
    model = isForeign(site)
      ? site.link.client.prepare(site.link.peer, cell)
      : await (await findModel(cell.model)).prepare(site, cell);
  } catch (error) {
    const shortage = shortageIn(error);
    if (shortage === undefined) return invalid(cell, (error as Error).message);
    return {
      type: "cell",
      key: cell.key,
      outcome: { status: "unavailable", reason: withoutNames(shortage.message), figures: null },
    };
  }
  try {
    return await run(model);
  } finally {
    await model.end?.();
  }
}

async function openForeign({ transport, start, send }: TrialJob, peer: RunningPeer): Promise<ForeignLink> {
  const { PythonClient } = await import("./peers/python-client.ts");
  const onSpawn = (pid: number): void => send({ type: "spawned", pid, side: "client" });
  return { face: "foreign", client: await PythonClient.start(transport, start, peer, onSpawn), peer };
}

function closeAny(link: Link | ForeignLink, { mode }: DriverStart): Promise<void> {
  return link.face === "foreign" ? link.client.close(mode !== "event") : closeLink(link);
}

async function measure(site: AnySite, cell: CellPlan, model: PreparedModel): Promise<CellResult> {
  const { delivery } = site.transport.capabilities;
  const { warmupMessages: messages, warmupMs: leastMs } = cell;
  if (model.startsServers) {
    const window = await model.window(cell.messages);
    return resultOf(cell, window, problemOf(window, delivery), figuresOf(window, null, false));
  }
  const limits = { messages, leastMs, mostMs: 4 * leastMs };
  const warmProblem = problemOf(await warmUp(limits, model, delivery), delivery);
  if (warmProblem !== undefined) return invalid(cell, `during warm-up: ${warmProblem}`);
  const first = await usages(site, model);
  const before = await usages(site, model, true);
  const window = await model.window(cell.messages);
  const bracket = { first, before, after: await usages(site, model) };
  return resultOf(cell, window, problemOf(window, delivery), figuresOf(window, bracket, cell.model === "idle"));
}

function resultOf(
  { key }: CellPlan,
  { refused }: Window,
  problem: string | undefined,
  figures: ReturnType<typeof figuresOf>,
): CellResult {
  if (problem !== undefined) return { type: "cell", key, outcome: { status: "invalid", reason: problem, figures } };
  if (refused !== undefined) return { type: "cell", key, outcome: { status: "refused", reason: refused, figures } };
  return { type: "cell", key, outcome: { status: "valid", figures } };
}

function invalid({ key }: CellPlan, reason: string): CellResult {
  return { type: "cell", key, outcome: { status: "invalid", reason, figures: null } };
}

/** Runs until the messages are sent, the CPU time is used, or the time limit (a multiple of it) is reached. */
async function prewarm(
  { messages, cpuMs }: NonNullable<CellPlan["ahead"]>,
  model: PreparedModel,
  delivery: "reliable" | "lossy",
): Promise<Window> {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  let step = Math.min(FIRST_AHEAD_STEP, messages);
  for (let done = 0; ; ) {
    const fromMs = performance.now();
    const last = await model.window(step);
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(before);
    done += step;
    const isOver =
      done >= messages || (user + system) / 1000 >= cpuMs || nowMs - startedMs >= AHEAD_WAIT_FACTOR * cpuMs;
    if (isOver || problemOf(last, delivery) !== undefined) return last;
    if (nowMs - fromMs < cpuMs / 8) step = Math.min(2 * step, messages - done);
    else step = Math.min(step, messages - done);
  }
}

interface WarmUpLimits {
  readonly messages: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Warms up until count and least time are both reached, until `mostMs` is reached, or until something goes wrong. */
async function warmUp(limits: WarmUpLimits, model: PreparedModel, delivery: "reliable" | "lossy"): Promise<Window> {
  const { messages, leastMs, mostMs } = limits;
  const startedMs = performance.now();
  let step = Math.max(1, Math.ceil(Math.min(messages / 2, FIRST_WARMUP_STEP)));
  let last = await model.window(step);
  for (let done = step; problemOf(last, delivery) === undefined; done += step) {
    const elapsedMs = performance.now() - startedMs;
    if ((done >= messages && elapsedMs >= leastMs) || elapsedMs >= mostMs) break;
    const leftMs = mostMs - elapsedMs;
    const perMessageMs = elapsedMs / done;
    step = Math.max(
      1,
      Math.ceil(Math.min(done, Math.max(messages - done, leastMs / perMessageMs / 2), leftMs / perMessageMs)),
    );
    last = await model.window(step);
  }
  return last;
}

/**
 * Lengthens the window until it takes its part of the time, then repeats it. Reports the fastest window, since a stall
 * of the machine or the compiler slowed down the others.
 */
async function calibrate(site: AnySite, cell: CellPlan, model: PreparedModel, budgetMs: number): Promise<CellResult> {
  const { ratePerSecond } = cell;
  const { delivery } = site.transport.capabilities;
  if (model.windowAt !== undefined && ratePerSecond !== null) {
    const found = await calibrateRate({ ...cell, ratePerSecond }, model.windowAt, delivery);
    const figures = { ...figuresOf(found.window, null, false), keptPerSecond: found.keptPerSecond };
    return resultOf(cell, found.window, found.problem, figures);
  }
  const leastMs = budgetMs / CALIBRATING_WINDOWS;
  let count = model.startsServers ? 1 : firstStep(cell, budgetMs);
  let fastest: Window | undefined;
  for (let done = 0; done < CALIBRATING_WINDOWS; ) {
    const window = await model.window(count);
    const elapsedMs = window.elapsedNs / 1e6;
    const problem = problemOf(window, delivery);
    if (problem !== undefined) return resultOf(cell, window, problem, figuresOf(window, null, false));
    if (elapsedMs >= leastMs || count >= MAX_STEP) {
      done++;
      if (fastest === undefined || paceOf(window) > paceOf(fastest)) fastest = window;
      // A window that alone takes the whole time is not repeated.
      if (elapsedMs >= budgetMs) break;
    } else {
      const factor = Math.min(MAX_STEP_FACTOR, Math.max(2, (1.2 * leastMs) / Math.max(elapsedMs, 0.01)));
      count = Math.min(MAX_STEP, Math.ceil(count * factor));
    }
  }
  const found = fastest as Window;
  return resultOf(cell, found, undefined, figuresOf(found, null, false));
}

function paceOf({ messages, elapsedNs }: Window): number {
  return messages / Math.max(1, elapsedNs);
}

/**
 * Returns the number of messages of the first step. An open loop gets the whole budget, to see if the rate is kept;
 * others grow by steps.
 */
function firstStep({ payloadBytes, clients, ratePerSecond }: CellPlan, budgetMs: number): number {
  if (ratePerSecond !== null) return Math.max(FIRST_STEP, Math.ceil((ratePerSecond * budgetMs) / 1000));
  return closedStep(clients, payloadBytes);
}
