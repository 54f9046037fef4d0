import { Method } from "../../transports/contract/check.ts";
import { HEADER_BYTES, Kind } from "../../transports/contract/frame.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import type {
  CalibrateWork,
  CellFigures,
  CellPlan,
  CellResult,
  DriverStart,
  FromDriver,
  MeasureWork,
} from "../process/messages.ts";
import { allowedCpuList } from "../process/pinning.ts";
import { allocate } from "../process/place.ts";
import { readUsage, watchGarbageCollection } from "../process/usage.ts";
import { buildFrame } from "../rpc/message.ts";
import { findModel } from "./models/index.ts";
import type { Link, PeerUsage, PreparedModel, Window } from "./models/model.ts";
import type { RunningPeer } from "./peers/running-peer.ts";
import { startPeer } from "./peers/start-peer.ts";
import { encodeHistogram, summarize } from "./samples.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** First step of a calibration; each next one is larger until a step fills the budget. */
const FIRST_STEP = 32;
const MAX_STEP_FACTOR = 16;

/** One trial: a fresh peer, one connection, every cell of the plan in the order given. */
export async function runCells(
  transport: Transport,
  start: DriverStart,
  work: CalibrateWork | MeasureWork,
  send: (message: FromDriver) => void,
): Promise<void> {
  const address = await allocate(transport, start.transport, start.place);
  const peer = await startPeer({
    transport,
    reference: start.transport,
    mode: start.mode,
    address,
    pin: start.peerPin,
    language: start.peerLanguage,
    onSpawn: (pid) => send({ type: "spawned", pid }),
  });
  watchGarbageCollection();
  try {
    const link = await openLink(transport, start, peer);
    send({ type: "ready", pid: process.pid, cpus: allowedCpuList(), peer: peer.info });
    for (const cell of work.cells) {
      const model = findModel(cell.model).prepare(link, cell.payloadBytes);
      send(work.kind === "calibrate" ? await calibrate(cell, model, work.budgetMs) : await measure(cell, model, link));
    }
    await closeLink(link);
  } finally {
    await peer.stop();
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

async function measure(cell: CellPlan, model: PreparedModel, link: Link): Promise<CellResult> {
  const { benchmark, payloadBytes } = cell;
  const warm = await warmUp(cell, model);
  const problem = problemOf(warm);
  if (problem !== undefined) {
    return {
      type: "cell",
      benchmark,
      payloadBytes,
      outcome: { status: "invalid", reason: `during warm-up: ${problem}`, figures: null },
    };
  }
  const before = await usages(link);
  const window = await model.window(cell.messages);
  const after = await usages(link);
  const figures = figuresOf(window, before, after);
  const reason = problemOf(window);
  return {
    type: "cell",
    benchmark,
    payloadBytes,
    outcome: reason === undefined ? { status: "valid", figures } : { status: "invalid", reason, figures },
  };
}

/** By count and by time: ends when both are reached, or at once when something is wrong. */
async function warmUp(cell: CellPlan, model: PreparedModel): Promise<Window> {
  const startedMs = performance.now();
  let step = Math.max(1, Math.ceil(cell.warmupMessages / 2));
  let last = await model.window(step);
  for (let done = step; problemOf(last) === undefined; done += step) {
    const elapsedMs = performance.now() - startedMs;
    if (done >= cell.warmupMessages && elapsedMs >= cell.warmupMs) break;
    if (elapsedMs >= 4 * cell.warmupMs && done >= FIRST_STEP) break;
    const perMessageMs = elapsedMs / done;
    step = Math.max(1, Math.ceil(Math.min(done, cell.warmupMs / perMessageMs / 2)));
    last = await model.window(step);
  }
  return last;
}

/** Doubles the window until it fills the time given; reports the last one. */
async function calibrate(cell: CellPlan, model: PreparedModel, budgetMs: number): Promise<CellResult> {
  let count = FIRST_STEP;
  for (;;) {
    const window = await model.window(count);
    const elapsedMs = window.elapsedNs / 1e6;
    const reason = problemOf(window);
    const { benchmark, payloadBytes } = cell;
    const figures = figuresOf(window, null, null);
    if (reason !== undefined) {
      return { type: "cell", benchmark, payloadBytes, outcome: { status: "invalid", reason, figures } };
    }
    if (elapsedMs >= budgetMs / 2)
      return { type: "cell", benchmark, payloadBytes, outcome: { status: "valid", figures } };
    const factor = Math.min(MAX_STEP_FACTOR, Math.max(2, (0.7 * budgetMs) / Math.max(elapsedMs, 0.01)));
    count = Math.ceil(count * factor);
  }
}

/** Why a window does not count; undefined when it does. */
function problemOf(window: Window): string | undefined {
  const faults = (["lost", "duplicated", "reordered", "corrupted"] as const)
    .filter((fault) => window[fault] > 0)
    .map((fault) => `${window[fault]} ${fault}`);
  const parts = window.problem === undefined ? faults : [window.problem, ...faults];
  return parts.length === 0 ? undefined : parts.join(", ");
}

interface Usages {
  readonly own: Exclude<PeerUsage, null>;
  readonly peer: PeerUsage;
}

/** Taken just outside the window; asking costs the peer about 10 µs, which the figure per message then contains. */
async function usages(link: Link): Promise<Usages> {
  const peer = link.peer.info.pid === process.pid ? null : await peerUsage(link);
  return { own: readUsage(), peer };
}

async function peerUsage(link: Link): Promise<PeerUsage> {
  if (link.peer.info.language !== "node") return null;
  const bytes =
    link.face === "event"
      ? await link.client.request(new Uint8Array(0), { method: Method.usage })
      : exchangeBlocking(link, Method.usage);
  return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
}

const ANSWER_BYTES = 4096;

function exchangeBlocking(link: Extract<Link, { face: "blocking" }>, method: Method): Uint8Array | null {
  const into = new Uint8Array(ANSWER_BYTES);
  if (!link.connection.send(buildFrame(Kind.request, 0, method, 0, new Uint8Array(0)), 1000)) return null;
  for (let attempt = 0; attempt < 20; attempt++) {
    const length = link.connection.receive(into, 100);
    if (length >= HEADER_BYTES) return into.slice(HEADER_BYTES, length);
  }
  return null;
}

function figuresOf(window: Window, before: Usages | null, after: Usages | null): CellFigures {
  const { messages, elapsedNs, samples, lost, duplicated, reordered, corrupted } = window;
  const hasSamples = samples !== null && samples.length > 0;
  return {
    messages,
    elapsedNs,
    histogram: hasSamples ? encodeHistogram(samples) : null,
    latencyNs: hasSamples ? summarize(samples) : null,
    ...costs(before, after),
    lost,
    duplicated,
    reordered,
    corrupted,
  };
}

/** Both processes together; of the driver alone where the peer shares its process or cannot tell. */
function costs(
  before: Usages | null,
  after: Usages | null,
): Pick<CellFigures, "cpuNs" | "contextSwitches" | "peakMemoryBytes" | "gcPauseNs"> {
  if (before === null || after === null)
    return { cpuNs: null, contextSwitches: null, peakMemoryBytes: null, gcPauseNs: null };
  const sum = (pick: (usage: Exclude<PeerUsage, null>) => number): number =>
    pick(after.own) - pick(before.own) + (after.peer && before.peer ? pick(after.peer) - pick(before.peer) : 0);
  return {
    cpuNs: sum((usage) => usage.cpuMicros) * 1000,
    contextSwitches: sum((usage) => usage.voluntarySwitches + usage.involuntarySwitches),
    peakMemoryBytes: after.own.peakMemoryBytes + (after.peer?.peakMemoryBytes ?? 0),
    gcPauseNs: sum((usage) => usage.gcPauseNs),
  };
}
