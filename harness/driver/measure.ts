import { Method } from "../../transports/contract/check.ts";
import { shortageIn } from "../../transports/contract/errors.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { shareCompiledCode } from "../process/compiled-code.ts";
import { allowedCpuListOfThreads } from "../process/cpus.ts";
import { withoutNames } from "../process/failure.ts";
import { allocate } from "../process/journal.ts";
import type { CalibrateWork, CellPlan, CellResult, DriverStart, FromDriver, MeasureWork } from "../process/messages.ts";
import { watchGarbageCollection } from "../process/usage.ts";
import { exchangeBlocking, usages } from "./costs.ts";
import { figuresOf, problemOf } from "./figures.ts";
import { findModel } from "./models/index.ts";
import type { Link, PreparedModel, Site, Window } from "./models/model.ts";
import type { PeerProcess } from "./peers/peer-process.ts";
import type { RunningPeer } from "./peers/running-peer.ts";
import { startPeer } from "./peers/start-peer.ts";

/** As a shell reports a process that SIGTERM ended. */
const SIGTERM_EXIT = 143;
const CONNECT_TIMEOUT_MS = 10_000;
/** First step of a calibration; each next one is larger until a step fills the budget. */
const FIRST_STEP = 32;
/** A first step of large messages carries about this much. */
const FIRST_STEP_BYTES = 4 * 1024 * 1024;
const MAX_STEP_FACTOR = 16;
const MAX_STEP = 2_000_000;
const FIRST_AHEAD_STEP = 20;
/** A mechanism that mostly waits would take forever to use its CPU time. */
const AHEAD_WAIT_FACTOR = 2;
/** From there it doubles: until then nothing is known of the pace. */
const FIRST_WARMUP_STEP = 50;

export interface TrialJob {
  readonly transport: Transport;
  readonly start: DriverStart;
  readonly work: CalibrateWork | MeasureWork;
  readonly send: (message: FromDriver) => void;
  /** Resolves when a driver that holds may begin. */
  readonly begun: () => Promise<unknown>;
  readonly early?: Promise<PeerProcess>;
}

/**
 * One trial: a fresh peer, one connection, every cell of the plan in the order given.
 *
 * A driver that holds does beforehand what may be done while others get ready too: all up to the warm connection. With an event loop that
 * is silent as long as nobody sends (what is not says so: `Transport.looksAround`, and is held for its own turn only). A blocking or polling
 * peer looks around even then, so it is stopped until it is its turn.
 */
export async function runCells(job: TrialJob): Promise<void> {
  const { start, work, send } = job;
  // Loaded before the turn; a model that cannot be is the failure of its own cell.
  await Promise.allSettled(work.cells.map(({ model }) => findModel(model)));
  const site = await openSite(job);
  const { peer } = site.link;
  try {
    const broken = await warmAhead(site, work, send);
    // Calibrations are the first to load what a trial needs.
    if (work.kind === "calibrate") shareCompiledCode();
    if (start.hold !== undefined) await untilTurn(job, peer);
    send({ type: "ready", pid: process.pid, cpus: allowedCpuListOfThreads(process.pid), peer: placed(peer.info) });
    if (broken !== undefined) send(broken);
    const isSound = broken === undefined && (await visit(site, work, send));
    // What cannot be closed after a cell that failed is no further finding.
    await closeLink(site.link).catch((error: unknown) => {
      if (isSound) throw error;
    });
  } finally {
    await peer.stop();
  }
}

/**
 * Runs the cells until one is invalid: what is lost, or late, on a connection is met by whatever comes after it there. The coordinator
 * starts a fresh pair for the others.
 *
 * @returns whether all were run
 */
async function visit(site: Site, work: TrialJob["work"], send: TrialJob["send"]): Promise<boolean> {
  for (const cell of work.cells) {
    send({ type: "cell-begun", key: cell.key });
    const result = await runCell(site, cell, work);
    send(result);
    if (result.outcome.status === "invalid") return false;
  }
  return true;
}

async function untilTurn({ start, send, begun }: TrialJob, peer: RunningPeer): Promise<void> {
  const isSilent = start.mode === "event";
  if (!isSilent) {
    // A driver that ends early must not leave a stopped process behind, which would never notice.
    process.once("exit", peer.thaw);
    process.once("SIGTERM", () => process.exit(SIGTERM_EXIT));
    peer.freeze();
  }
  send({ type: "prepared" });
  try {
    await begun();
  } finally {
    if (!isSilent) peer.thaw();
  }
}

/** A fresh peer and a connection to it. */
async function openSite(job: TrialJob): Promise<Site> {
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
    onSpawn,
    ...(early === undefined ? {} : { early }),
  });
  watchGarbageCollection();
  try {
    return { link: await openLink(transport, start, peer), transport, start, onSpawn };
  } catch (error) {
    await peer.stop();
    throw error;
  }
}

/** What it said of its CPUs may be from before it was moved. */
function placed(peer: RunningPeer["info"]): RunningPeer["info"] {
  const cpus = allowedCpuListOfThreads(peer.pid);
  return cpus === null ? peer : { ...peer, cpus };
}

/**
 * Runs every cell a little before any is measured: a fresh process compiles its code over the first thousand messages or two, and all
 * cells share most of it.
 *
 * @returns the result of the first cell that failed by it, after which no other was run
 */
async function warmAhead(site: Site, work: TrialJob["work"], send: TrialJob["send"]): Promise<CellResult | undefined> {
  const { delivery } = site.transport.capabilities;
  for (const cell of work.cells) {
    const { aheadCpuMs } = cell;
    if (aheadCpuMs === null) continue;
    send({ type: "cell-begun", key: cell.key });
    const problem = await withModel(site, cell, async (model) => {
      const found = problemOf(await runAhead(aheadCpuMs, model, delivery), delivery);
      return found === undefined ? undefined : invalid(cell, `during warm-up: ${found}`);
    });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function runCell(site: Site, cell: CellPlan, work: TrialJob["work"]): Promise<CellResult> {
  return withModel(site, cell, (model) =>
    work.kind === "calibrate" ? calibrate(site, cell, model, work.budgetMs) : measure(site, cell, model),
  );
}

/** A model that cannot be prepared (a client that does not start) spoils its own cell and no other. */
async function withModel<Result>(
  site: Site,
  cell: CellPlan,
  run: (model: PreparedModel) => Promise<Result>,
): Promise<Result | CellResult> {
  let model: PreparedModel;
  try {
    model = await (await findModel(cell.model)).prepare(site, cell);
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

async function openLink(transport: Transport, start: DriverStart, peer: RunningPeer): Promise<Link> {
  if (start.mode === "event") return { face: "event", client: await peer.connect(), peer };
  if (transport.blocking === undefined) throw new Error(`${transport.id} has no blocking face`);
  return { face: "blocking", connection: transport.blocking.connect(peer.address, CONNECT_TIMEOUT_MS), peer };
}

async function closeLink(link: Link): Promise<void> {
  if (link.face === "event") return link.client.close();
  // A blocking server hears nothing but its connection: this is how it learns that it may go.
  exchangeBlocking(link, Method.shutdown);
  link.connection[Symbol.dispose]();
}

async function measure(site: Site, cell: CellPlan, model: PreparedModel): Promise<CellResult> {
  const { delivery } = site.transport.capabilities;
  const { warmupMessages: messages, warmupMs: leastMs } = cell;
  const limits = { messages, leastMs, mostMs: 4 * leastMs };
  const warmProblem = problemOf(await warmUp(limits, model, delivery), delivery);
  if (warmProblem !== undefined) return invalid(cell, `during warm-up: ${warmProblem}`);
  const before = await usages(site, model);
  const window = await model.window(cell.messages);
  const after = await usages(site, model);
  return resultOf(cell, window, problemOf(window, delivery), figuresOf(window, before, after, cell.model === "idle"));
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

/** By time alone, however many messages that is: what a compiler wants of the fastest loops are tens of thousands. */
async function runAhead(cpuMs: number, model: PreparedModel, delivery: "reliable" | "lossy"): Promise<Window> {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  for (let step = FIRST_AHEAD_STEP; ; ) {
    const fromMs = performance.now();
    const last = await model.window(step);
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(before);
    const over = (user + system) / 1000 >= cpuMs || nowMs - startedMs >= AHEAD_WAIT_FACTOR * cpuMs;
    if (over || problemOf(last, delivery) !== undefined) return last;
    if (nowMs - fromMs < cpuMs / 8) step *= 2;
  }
}

interface WarmUpLimits {
  readonly messages: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/** By count and by time: ends when both are reached, when the most time is used, or at once when something is wrong. */
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

/** Doubles the window until it fills the time given; reports the last one. */
async function calibrate(site: Site, cell: CellPlan, model: PreparedModel, budgetMs: number): Promise<CellResult> {
  let count = firstStep(cell, budgetMs);
  for (;;) {
    const window = await model.window(count);
    const elapsedMs = window.elapsedNs / 1e6;
    const problem = problemOf(window, site.transport.capabilities.delivery);
    const figures = figuresOf(window, null, null, false);
    if (problem !== undefined || elapsedMs >= budgetMs / 2 || count >= MAX_STEP) {
      return resultOf(cell, window, problem, figures);
    }
    const factor = Math.min(MAX_STEP_FACTOR, Math.max(2, (0.7 * budgetMs) / Math.max(elapsedMs, 0.01)));
    count = Math.min(MAX_STEP, Math.ceil(count * factor));
  }
}

/** An open loop shows whether it is followed only over some time; the others grow step by step. */
function firstStep({ payloadBytes, clients, ratePerSecond }: CellPlan, budgetMs: number): number {
  if (ratePerSecond !== null) return Math.max(FIRST_STEP, Math.ceil((ratePerSecond * budgetMs) / 1000));
  return Math.max(1, clients, Math.min(FIRST_STEP, Math.floor(FIRST_STEP_BYTES / payloadBytes)));
}
