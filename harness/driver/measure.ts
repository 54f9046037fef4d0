import { Method } from "../../transports/contract/check.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { allocate } from "../process/journal.ts";
import type { CalibrateWork, CellPlan, CellResult, DriverStart, FromDriver, MeasureWork } from "../process/messages.ts";
import { allowedCpuList } from "../process/pinning.ts";
import { watchGarbageCollection } from "../process/usage.ts";
import { exchangeBlocking, usages } from "./costs.ts";
import { figuresOf, problemOf } from "./figures.ts";
import { findModel } from "./models/index.ts";
import type { Link, PreparedModel, Site, Window } from "./models/model.ts";
import type { PeerProcess } from "./peers/peer-process.ts";
import type { RunningPeer } from "./peers/running-peer.ts";
import { startPeer } from "./peers/start-peer.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** First step of a calibration; each next one is larger until a step fills the budget. */
const FIRST_STEP = 32;
/** A first step of large messages carries about this much. */
const FIRST_STEP_BYTES = 4 * 1024 * 1024;
const MAX_STEP_FACTOR = 16;
const MAX_STEP = 2_000_000;

/** One trial: a fresh peer, one connection, every cell of the plan in the order given. */
export async function runCells(
  transport: Transport,
  start: DriverStart,
  work: CalibrateWork | MeasureWork,
  send: (message: FromDriver) => void,
  early?: Promise<PeerProcess>,
): Promise<void> {
  const address = await allocate(transport, start.transport, start.place);
  const onSpawn = (pid: number): void => send({ type: "spawned", pid });
  const peer = await startPeer({
    transport,
    reference: start.transport,
    mode: start.mode,
    address,
    pin: start.peerPin,
    language: start.peerLanguage,
    ...(start.codec === undefined ? {} : { codec: start.codec }),
    onSpawn,
    ...(early === undefined ? {} : { early }),
  });
  watchGarbageCollection();
  try {
    const link = await openLink(transport, start, peer);
    send({ type: "ready", pid: process.pid, cpus: allowedCpuList(), peer: peer.info });
    const site: Site = { link, transport, start, onSpawn };
    for (const cell of work.cells) send(await runCell(site, cell, work));
    await closeLink(link);
  } finally {
    await peer.stop();
  }
}

/** A model that cannot be prepared (a client that does not start) spoils its own cell and no other. */
async function runCell(site: Site, cell: CellPlan, work: CalibrateWork | MeasureWork): Promise<CellResult> {
  let model: PreparedModel;
  try {
    model = await (await findModel(cell.model)).prepare(site, cell);
  } catch (error) {
    return invalid(cell, (error as Error).message);
  }
  try {
    return work.kind === "calibrate"
      ? await calibrate(site, cell, model, work.budgetMs)
      : await measure(site, cell, model);
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
  const warmProblem = problemOf(await warmUp(cell, model, delivery), delivery);
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

/** By count and by time: ends when both are reached, or at once when something is wrong. */
async function warmUp(cell: CellPlan, model: PreparedModel, delivery: "reliable" | "lossy"): Promise<Window> {
  const startedMs = performance.now();
  let step = Math.max(1, Math.ceil(cell.warmupMessages / 2));
  let last = await model.window(step);
  for (let done = step; problemOf(last, delivery) === undefined; done += step) {
    const elapsedMs = performance.now() - startedMs;
    if (done >= cell.warmupMessages && elapsedMs >= cell.warmupMs) break;
    if (elapsedMs >= 4 * cell.warmupMs) break;
    const perMessageMs = elapsedMs / done;
    step = Math.max(1, Math.ceil(Math.min(done, cell.warmupMs / perMessageMs / 2)));
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
