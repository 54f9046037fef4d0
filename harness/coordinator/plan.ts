import type { CellPlan } from "../process/messages.ts";
import { type Arm, type Cell, cellKey, loadOf } from "./arm.ts";

/**
 * Length of each window of a run, and number of rounds.
 *
 *   s(g)    start, warm-up ahead, end of the pair of processes of group g; from the calibration, ms
 *   r(c)    pace of cell c, messages a ms; from the calibration
 *   w(c)    warm-up of a cell right before its window, ms
 *   l(c)    its least window: LEAST_WINDOW_MS or LEAST_MESSAGES, whichever is longer; less for very slow messages
 *   d(c)    the window that its effort desires, d >= l
 *   x       frozen echo, canaries and C baseline of a round, ms
 *
 *   fixed   F    = x + sum s(g) + sum w(c)
 *   round   R(f) = F + sum l(c) + f * sum (d(c) - l(c)),   f >= 0, the same for all cells
 *   run     K * R(f) <= T, the time that is left
 *
 * 1. The least windows grow, from the cheapest on, to what a p99 needs, while K = (fewest rounds) still fits.
 * 2. K is the number of rounds that fit with f = 1, between the fewest and the most.
 * 3. f is what then uses up the time: below 1 with the fewest rounds, above 1 with the most.
 *
 * A window has messages(c) = r(c) * (l + f * (d - l)), the same in all rounds: never boxed by time. Recorded messages
 * are sent in whole passes, so that each window has their mix: then l is one pass at least, and messages(c) a multiple.
 */

/** Result of calibrating one cell of one arm. */
export interface Pace {
  readonly cell: Cell;
  readonly messagesPerSecond: number;
}

export interface ArmPace {
  readonly arm: Arm;
  readonly paces: readonly Pace[];
}

/** Arms that differ in their placement only: one pair of processes serves them in turns. */
export interface GroupPace {
  readonly arms: readonly ArmPace[];
  /** Time of a trial besides its cells, ms: start, connect, warm up, stop. */
  readonly overheadMs: number;
}

export interface PlannedCell {
  readonly cell: Cell;
  readonly messages: number;
  readonly warmupMessages: number;
  readonly warmupMs: number;
  readonly plannedMs: number;
}

export interface PlannedArm {
  readonly arm: Arm;
  readonly cells: readonly PlannedCell[];
}

export interface PlannedGroup {
  readonly arms: readonly PlannedArm[];
  readonly plannedMs: number;
}

export type Effort = "quick" | "default" | "thorough";

/** Bounds of a plan: number of rounds, and their time. */
export interface PlanRequest {
  readonly effort: Effort;
  readonly rounds: { readonly least: number; readonly most: number };
  /** Time for all rounds, ms. Infinity: as long as the effort asks for. */
  readonly leftMs: number;
  /** Time of each round besides its trials, ms: frozen echo and canary. */
  readonly extraMs: number;
  /** `true` when the answer is a p99. Every window is then long enough for a p99, however long the round becomes. */
  readonly forP99?: boolean;
  /** Number of messages to use instead of calculated counts. */
  readonly messages: number | undefined;
}

export interface Plan {
  readonly groups: readonly PlannedGroup[];
  readonly rounds: number;
  readonly roundMs: number;
}

interface Wish {
  readonly roundTrips: number;
  readonly streamMs: number;
  /** Time of windows whose length is fixed: idle, and schedules. */
  readonly clockMs: number;
}

/**
 * Windows that the efforts ask for. 2000 round trips give 20 samples beyond the p99; 10,000 give the 100 that a gate
 * needs.
 */
const WISHES: Readonly<Record<Effort, Wish>> = {
  quick: { roundTrips: 400, streamMs: 20, clockMs: 300 },
  default: { roundTrips: 2000, streamMs: 40, clockMs: 500 },
  thorough: { roundTrips: 10_000, streamMs: 200, clockMs: 2000 },
};
/** Number of messages over all trials that a p99 needs, see `results/quantiles.ts`. */
const P99_IN_ALL = 2000;
const P99_IN_ONE = 300;
/** Largest size whose p99 a plain run must have; larger ones get it only if it is cheap. */
const P99_PAYLOAD_BYTES = 4096;
const P99_LONGEST_MS = 1500;
/** Longest window for a p99 in a run whose answer is a p99. */
const P99_NEEDED_LONGEST_MS = 5000;
const CHEAP_MS = 60;
/** Shortest window. A shorter one would show little more of a stream than its first and its last message. */
const LEAST_WINDOW_MS = 20;
const LEAST_MESSAGES = 50;
/** Time above which the least number of messages is lowered. */
const LEAST_SLOW_MS = 300;
const LEAST_SLOW_MESSAGES = 5;
const LEAST_CLOCK_MS = 300;
const LONGEST_WINDOW_MS = 2000;
const MOST_MESSAGES = 2_000_000;
/**
 * Share of the available time that windows may use when only the fewest rounds fit. Rounds that take longer than
 * planned then still fit. Where they take less, one more round is added.
 */
const SAFE_SHARE = 0.88;
/** Number of warm-up messages. Enough to touch the buffers of each size, and few enough for slow mechanisms. */
const WARMUP_MESSAGES = 100;
const WARMUP_MS = 15;
/** Number of warm-up messages after prewarming. The code is compiled then; only caches and buffers are cold. */
const AFTER_AHEAD_MESSAGES = 40;
const AFTER_AHEAD_MS = 3;
/** Factor for the warm-up of a turn's first cell. Before that cell the processes were idle or did other work. */
const FIRST_WARMUP_FACTOR = 2;
/**
 * Number of messages that prewarm a trial, divided among its cells. After them, the median of a fresh pair is within a
 * few percent of its final value. Fewer are enough where a message takes more CPU time in the driver, because it runs
 * more code.
 */
const AHEAD_MESSAGES = 6000;
const AHEAD_CPU_MS = 120;
/** Time of the warm-up of `workload`, see its model. */
const WORKLOAD_WARM_MS = 250;
/**
 * Models that start no further processes and keep no schedule, with messages that cost code and little memory. Their
 * large messages touch the buffers first: otherwise the small ones would meet the page faults of a whole ring.
 */
const AHEAD_MODELS: ReadonlySet<string> = new Set(["ping-pong", "stream", "pipeline", "codec-round-trip"]);
const AHEAD_PAYLOAD_BYTES = 65_536;
/** Models that start servers in their windows. There is nothing to warm up. */
const START_MODELS: ReadonlySet<string> = new Set(["cold-start", "clients-memory"]);

/** Returns the plans of the cells of one turn, in the order in which they run; counts are 0 in a calibration. */
export function cellPlans(
  cells: readonly Pick<PlannedCell, "cell" | "messages" | "warmupMessages" | "warmupMs">[],
  seedOf: () => number,
): CellPlan[] {
  const share = 1 / cells.filter(({ cell }) => runsAhead(cell)).length;
  const ahead = { messages: Math.ceil(share * AHEAD_MESSAGES), cpuMs: share * AHEAD_CPU_MS };
  return cells.map((planned, index): CellPlan => {
    const { cell, warmupMessages, warmupMs } = planned;
    const factor = index === 0 ? FIRST_WARMUP_FACTOR : 1;
    return {
      ...loadOf(cell, seedOf()),
      key: cellKey(cell),
      model: cell.benchmark.model,
      messages: planned.messages,
      warmupMessages: factor * warmupMessages,
      warmupMs: factor * warmupMs,
      ahead: runsAhead(cell) ? ahead : null,
    };
  });
}

function runsAhead({ benchmark, payloadBytes }: Cell): boolean {
  return AHEAD_MODELS.has(benchmark.model) && payloadBytes <= AHEAD_PAYLOAD_BYTES;
}

/** Fixes the rounds and the counts of all cells before the first round, by the algebra at the head of this file. */
export function planRun(groups: readonly GroupPace[], request: PlanRequest): Plan {
  const { rounds, leftMs, extraMs, messages, effort, forP99 = false } = request;
  const all = groups.flatMap(({ arms }) => arms.flatMap(({ paces }) => paces));
  const fixedMs = extraMs + sum(groups, ({ overheadMs }) => overheadMs) + sum(all, (pace) => warmUp(pace).ms);
  const windows = withP99(
    all.map((pace) => [pace, windowOf(pace, WISHES[effort], rounds.least, forP99)] as const),
    (SAFE_SHARE * leftMs) / rounds.least - fixedMs,
  );
  const leastMs = fixedMs + sum([...windows.values()], ({ least }) => least);
  const moreMs = sum([...windows.values()], ({ least, wanted }) => wanted - least);
  const isBound = Number.isFinite(leftMs);
  const count = isBound ? clamp(Math.floor(leftMs / (leastMs + moreMs)), rounds) : rounds.least;
  const shareMs = ((count === rounds.least ? SAFE_SHARE : 1) * leftMs) / count;
  const factor = isBound ? Math.max(0, (shareMs - leastMs) / Math.max(moreMs, 1)) : 1;
  const planOf = (pace: Pace): PlannedCell => {
    const { least, wanted } = windows.get(pace) as WindowMs;
    // The window of a slow cell, which wants only its least, never grows. The others grow up to the longest.
    return planCell(pace, Math.min(Math.max(LONGEST_WINDOW_MS, least), least + factor * (wanted - least)), messages);
  };
  const planned = groups.map(({ arms: paces, overheadMs }): PlannedGroup => {
    const arms = paces.map(({ arm, paces: cells }): PlannedArm => ({ arm, cells: cells.map(planOf) }));
    const cellsMs = sum(arms, ({ cells }) => sum(cells, ({ plannedMs }) => plannedMs));
    return { arms, plannedMs: overheadMs + cellsMs };
  });
  return { groups: planned, rounds: count, roundMs: extraMs + sum(planned, ({ plannedMs }) => plannedMs) };
}

interface WindowMs {
  readonly least: number;
  readonly wanted: number;
  /** Window for a p99, ms, longer than the least. */
  readonly forP99?: number;
}

/** Raises windows to what a p99 needs, from the cheapest on, as long as all of them fit into the time of a round. */
function withP99(windows: readonly (readonly [Pace, WindowMs])[], roundMs: number): Map<Pace, WindowMs> {
  const result = new Map(windows);
  let spentMs = sum(windows, ([, { least }]) => least);
  const cost = ({ least, forP99 = least }: WindowMs): number => forP99 - least;
  for (const [pace, window] of windows.toSorted(([, a], [, b]) => cost(a) - cost(b))) {
    spentMs += cost(window);
    if (spentMs > roundMs) break;
    const least = window.forP99 ?? window.least;
    result.set(pace, { least, wanted: Math.max(least, window.wanted) });
  }
  return result;
}

function windowOf(pace: Pace, wish: Wish, rounds: number, needsP99: boolean): WindowMs {
  const { benchmark, variant, payloadBytes } = pace.cell;
  const { model } = benchmark;
  const perMs = pace.messagesPerSecond / 1000;
  const forP99 = Math.max(P99_IN_ONE, Math.ceil(P99_IN_ALL / rounds)) / perMs;
  const withForP99 = ({ least, wanted }: WindowMs, allowedMs: number): WindowMs => {
    if (forP99 <= least) return { least, wanted };
    if (needsP99 && forP99 <= P99_NEEDED_LONGEST_MS) return { least: forP99, wanted: Math.max(forP99, wanted) };
    return forP99 <= allowedMs ? { least, wanted, forP99 } : { least, wanted };
  };
  const isPaced = ["idle", "paced", "one-way"].includes(model);
  if (isPaced || variant.ratePerSecond !== undefined) {
    const wanted = Math.max(LEAST_CLOCK_MS, Math.min(wish.clockMs, wish.roundTrips / perMs));
    const least = Math.max(LEAST_CLOCK_MS, passOf(pace) / perMs);
    const window = { least, wanted: Math.max(least, wanted) };
    return isPaced ? window : withForP99(window, P99_LONGEST_MS);
  }
  if (model === "stream" || model === "fan-out") {
    const least = Math.max(LEAST_SLOW_MESSAGES / perMs, LEAST_WINDOW_MS);
    return { least, wanted: Math.max(wish.streamMs, least) };
  }
  if (model === "clients-memory") return { least: 1 / perMs, wanted: 1 / perMs };
  const least = Math.max(leastRoundTrips(pace), passOf(pace)) / perMs;
  const wanted = Math.max(least, Math.min(LONGEST_WINDOW_MS, wish.roundTrips / perMs));
  const isSmall = model === "workload" || payloadBytes <= P99_PAYLOAD_BYTES;
  return withForP99({ least, wanted }, isSmall ? P99_LONGEST_MS : CHEAP_MS);
}

function leastRoundTrips({ messagesPerSecond }: Pace): number {
  const perMs = messagesPerSecond / 1000;
  const least = Math.round(Math.max(LEAST_MESSAGES, LEAST_WINDOW_MS * perMs));
  if (least / perMs <= LEAST_SLOW_MS) return least;
  return Math.max(LEAST_SLOW_MESSAGES, Math.round(LEAST_SLOW_MS * perMs));
}

/** Returns the number of recorded messages; 0 where messages are made. */
function passOf({ cell }: Pace): number {
  return cell.variant.recorded?.count ?? 0;
}

function messagesIn(pace: Pace, windowMs: number): number {
  const perMs = pace.messagesPerSecond / 1000;
  const fitting = Math.min(MOST_MESSAGES, Math.max(LEAST_SLOW_MESSAGES, Math.round(windowMs * perMs)));
  const pass = passOf(pace);
  return pass === 0 ? fitting : pass * Math.max(1, Math.round(fitting / pass));
}

function planCell(pace: Pace, windowMs: number, fixedMessages: number | undefined): PlannedCell {
  const perMs = pace.messagesPerSecond / 1000;
  // A reading of memory is one message, however long it takes.
  const isReading = pace.cell.benchmark.model === "clients-memory";
  const messages = isReading ? 1 : (fixedMessages ?? messagesIn(pace, windowMs));
  const warm = warmUp(pace);
  return {
    cell: pace.cell,
    messages,
    warmupMessages: warm.messages,
    warmupMs: warm.leastMs,
    plannedMs: warm.ms + messages / perMs,
  };
}

/** Plans a warm-up that ends when count and time are both reached, or at four times the time. */
function warmUp({ messagesPerSecond, cell }: Pace): WarmUp {
  const perMs = messagesPerSecond / 1000;
  if (START_MODELS.has(cell.benchmark.model)) return { messages: 0, leastMs: 0, ms: 0 };
  // An idle cell compiles nothing.
  if (cell.benchmark.model === "idle") return { messages: 1, leastMs: WARMUP_MS, ms: 1 / perMs };
  const ahead = runsAhead(cell);
  const leastMs = ahead ? AFTER_AHEAD_MS : WARMUP_MS;
  const enough = ahead ? AFTER_AHEAD_MESSAGES : WARMUP_MESSAGES;
  const messages = Math.min(enough, Math.max(1, Math.floor(4 * leastMs * perMs)));
  return { messages, leastMs, ms: Math.max(leastMs, messages / perMs) + startMs(cell) };
}

/** Returns the time to start and prewarm the client processes of a model that has some. */
function startMs({ benchmark, variant }: Cell): number {
  const clients = variant.clients ?? 1;
  if (benchmark.model === "workload") return WORKLOAD_WARM_MS + CLIENT_GUESS_MS * (clients - 1);
  return ["fan-in", "fan-out"].includes(benchmark.model) ? CLIENT_GUESS_MS * clients : 0;
}

interface WarmUp {
  readonly messages: number;
  readonly leastMs: number;
  /** Expected time. */
  readonly ms: number;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function clamp(value: number, { least, most }: { readonly least: number; readonly most: number }): number {
  return Math.min(most, Math.max(least, value));
}

/** Guesses the time of one trial before the machine is measured, ms, start of its processes included. */
export function guessTrialMs(cells: readonly Cell[], effort: Effort): number {
  return START_GUESS_MS + sum(cells, (cell) => guessCellMs(cell, effort));
}

const START_GUESS_MS = 400;
const CLIENT_GUESS_MS = 130;
const STARTS_GUESS_MS = 1000;

function guessCellMs(cell: Cell, effort: Effort): number {
  const { benchmark, payloadBytes } = cell;
  const { clockMs, streamMs } = WISHES[effort];
  const large = payloadBytes / 20_000;
  switch (benchmark.model) {
    case "idle":
    case "paced":
    case "one-way":
      return clockMs + 50;
    case "stream":
      return streamMs + 60 + large;
    case "fan-in":
    case "fan-out":
      return streamMs + 100 + startMs(cell);
    case "cold-start":
      return STARTS_GUESS_MS;
    case "clients-memory":
      return STARTS_GUESS_MS + CLIENT_GUESS_MS * (cell.variant.clients ?? 1);
    case "workload":
      return clockMs + 100 + startMs(cell) + large;
    default:
      return { quick: 80, default: 200, thorough: 800 }[effort] + large;
  }
}
