import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Place } from "../../transports/contract/transport.ts";
import { placementCpus } from "../process/pinning.ts";
import { aggregate } from "../results/aggregate.ts";
import { C_KINDS, type CKind, cKindOf } from "../results/c-baseline.ts";
import { encodeHistogram } from "../results/histogram.ts";
import { NO_COSTS } from "../results/measurement.ts";
import type { Measurement, NoCBaseline, Placement, Row, ValidTrial } from "../results/model.ts";
import { shuffled } from "../results/random.ts";
import { quantilesOf, summarize } from "../results/samples.ts";
import { compileCBaseline } from "./compile.ts";

const execute = promisify(execFile);

const RUN_TIMEOUT_MS = 20_000;
/** Least warm-up before each cell. Once both bounds are met, p50 has settled, see METHODOLOGY. */
const WARM_UP = { messages: 200, ms: 4 } as const;
/**
 * Number of round trips of a cell per round, chosen to last `windowMs` or a little longer. The first run of the cell
 * sets it and is discarded.
 */
const COUNTS = { first: 200, least: 60, most: 65_536, windowMs: 20 } as const;
/** Number of copies by the memory bus. Few are enough, since they differ little. */
const COPIES = 400;
/** Bound on the program's output: ten bytes per sample, of cells with three or more sizes. */
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;
/** The memory bus alone: the lower bound of everything that copies. */
const COPY_KIND: CKind = { name: "memcpy", mode: "polling", of: [] };
/** Largest body, limited by the program's buffers, and size of one POSIX queue message with its header. */
const LARGEST_BYTES = 256 * 1024;
const LARGEST_QUEUE_BYTES = 8000;

/** One program run per round, which visits all its sizes, as a trial does. */
export interface CArm {
  readonly kind: CKind;
  readonly placement: Placement;
  readonly cells: readonly CCell[];
}

interface CCell {
  readonly payloadBytes: number;
}

/**
 * Compiles the C program in the run's own directory, or returns why there is no C baseline.
 *
 * @param transports limits the mechanisms to those under these transports and the memory bus, to save time
 */
export async function openCBaseline(
  place: Place,
  placements: readonly Placement[],
  payloads: readonly number[],
  transports: readonly string[],
): Promise<CBaselineBoard | NoCBaseline> {
  const arms = cArms(placements, payloads, new Set(transports.map(cKindOf)));
  if (arms.length === 0)
    return {
      status: "not-applicable",
      reason: "no cell of this run can be compared: the C program measures only ping-pong of pinned processes",
    };
  const program = await compileCBaseline(place);
  if (typeof program !== "string") return program;
  return new CBaselineBoard(program, arms);
}

/** Returns the arms that the C program has of these kinds, and the memory bus. */
export function cArms(
  placements: readonly Placement[],
  payloads: readonly number[],
  wanted: ReadonlySet<string | undefined>,
): CArm[] {
  const kinds = [...C_KINDS.filter(({ name }) => wanted.has(name)), COPY_KIND];
  const pinned = placements.filter((placement) => placement !== "unpinned");
  return pinned
    .flatMap((placement) =>
      kinds
        // Two ends that spin on one CPU wait for the scheduler; a copy has one end and needs one placement.
        .filter(({ mode, name }) => mode !== "polling" || (placement === "same-cpu") === (name === "memcpy"))
        .map((kind) => {
          const most = kind.name === "queue" ? LARGEST_QUEUE_BYTES : LARGEST_BYTES;
          const sizes = payloads.filter((payloadBytes) => payloadBytes <= most);
          return { kind, placement, cells: sizes.map((payloadBytes) => ({ payloadBytes })) };
        }),
    )
    .filter(({ cells }) => cells.length > 0);
}

/** Measures plain C as further arms of the same rounds. */
export class CBaselineBoard {
  readonly arms: readonly CArm[];
  readonly #program: string;
  readonly #trials = new Map<CCell, ValidTrial[]>();
  readonly #failures = new Map<CArm, string>();
  readonly #counts = new Map<CCell, number>();
  #roundMs = 0;

  constructor(program: string, arms: readonly CArm[]) {
    this.#program = program;
    this.arms = arms;
  }

  /** Time of all arms in one round, ms, from the calibration; 0 before. */
  get guessMs(): number {
    return this.#roundMs;
  }

  /** Sets the number of round trips of each cell, the same in all rounds. Runs before round one. */
  async calibrate(): Promise<void> {
    const startedMs = performance.now();
    let windowsMs = 0;
    for (const arm of this.arms) {
      const found = await this.#measure(arm, arm.cells, () => COUNTS.first);
      for (const [index, samples] of found.entries()) {
        const count = countFor(arm.kind, summarize(samples).p50);
        this.#counts.set(arm.cells[index] as CCell, count);
        windowsMs += ((count - COUNTS.first) * summarize(samples).p50) / 1e6;
      }
    }
    this.#roundMs = performance.now() - startedMs + Math.max(0, windowsMs);
  }

  async run(arm: CArm, round: number, startedAtMs: number, random: () => number): Promise<void> {
    const order = shuffled(arm.cells, random);
    const found = await this.#measure(arm, order, (cell) => this.#countOf(cell));
    for (const [index, samples] of found.entries()) {
      const cell = order[index] as CCell;
      this.#trials.set(cell, [...(this.#trials.get(cell) ?? []), trialOf(samples, round, startedAtMs)]);
    }
  }

  #countOf(cell: CCell): number {
    return this.#counts.get(cell) ?? COUNTS.least;
  }

  /** Returns the nanoseconds of each round trip, by cell. Returns none from a program that has failed before. */
  async #measure(
    arm: CArm,
    cells: readonly CCell[],
    countOf: (cell: CCell) => number,
  ): Promise<readonly Float64Array[]> {
    const cpus = placementCpus(arm.placement);
    if ("reason" in cpus || this.#failures.has(arm)) return [];
    const sizes = cells.map(({ payloadBytes }) => payloadBytes).join(",");
    const counts = cells.map(countOf);
    const warmUp = `${WARM_UP.messages},${WARM_UP.ms}`;
    const args = [arm.kind.name, cpus.driver, cpus.peer, sizes, warmUp, counts.join(",")].map(String);
    try {
      const { stdout } = await execute(this.#program, args, {
        timeout: RUN_TIMEOUT_MS,
        killSignal: "SIGKILL",
        maxBuffer: MOST_OUTPUT_BYTES,
      });
      const found = stdout
        .trim()
        .split("\n\n")
        .map((text) => Float64Array.from(text.split("\n"), Number));
      const isWhole = (samples: Float64Array, index: number): boolean =>
        samples.length === counts[index] && samples.every((value) => value >= 0);
      if (found.length !== cells.length || !found.every(isWhole)) {
        throw new Error("it printed something other than times");
      }
      return found;
    } catch (error) {
      this.#failures.set(arm, `the C program failed: ${(error as Error).message.split("\n")[0]}`);
      return [];
    }
  }

  rows(): Measurement[] {
    return this.arms.flatMap((arm) => arm.cells.map((cell) => this.#rowOf(arm, cell)));
  }

  #rowOf(arm: CArm, cell: CCell): Measurement {
    const { kind, placement } = arm;
    const trials = this.#trials.get(cell) ?? [];
    const failure = this.#failures.get(arm) ?? (trials.length === 0 ? "no round ran" : undefined);
    const row: Row = {
      benchmark: "c-baseline",
      model: kind.name === "memcpy" ? "memcpy" : "ping-pong",
      transport: `c/${kind.name}`,
      mode: kind.mode,
      placement,
      payloadBytes: cell.payloadBytes,
      inFlight: 1,
      clients: 1,
      ratePerSecond: null,
      codec: "raw",
      peer: { language: "c", version: "" },
      messages: this.#countOf(cell),
      trials,
      warnings: [],
    };
    return failure === undefined
      ? { ...row, status: "measured", ...aggregate(trials, cell.payloadBytes) }
      : { ...row, status: "failed", reason: failure };
  }
}

/** Returns the number of round trips that fill a window. It uses their median, since a stall shifts the mean. */
function countFor({ name }: CKind, p50Ns: number): number {
  const fitting = Math.ceil((COUNTS.windowMs * 1e6) / Math.max(1, p50Ns));
  return Math.min(name === COPY_KIND.name ? COPIES : COUNTS.most, Math.max(COUNTS.least, fitting));
}

function trialOf(samples: Float64Array, round: number, startedAtMs: number): ValidTrial {
  const elapsedNs = samples.reduce((sum, each) => sum + each, 0);
  return {
    round,
    startedAtMs: Math.round(startedAtMs),
    status: "valid",
    histogram: encodeHistogram(samples),
    latencyNs: quantilesOf(summarize(samples)),
    messagesPerSecond: elapsedNs > 0 ? (samples.length / elapsedNs) * 1e9 : 0,
    ...NO_COSTS,
    corrupted: 0,
  };
}
