import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Place } from "../../transports/contract/transport.ts";
import { summarize } from "../driver/samples.ts";
import { placementCpus } from "../process/pinning.ts";
import { aggregate } from "../results/aggregate.ts";
import { encodeHistogram } from "../results/histogram.ts";
import { LIMIT_KINDS, type LimitKind, limitKindOf } from "../results/limits.ts";
import type { Measurement, Placement, Trial } from "../results/model.ts";
import { compileLimits } from "./compile-limits.ts";
import { NOTHING, quantilesOf } from "./trial.ts";

const execute = promisify(execFile);

const RUN_TIMEOUT_MS = 20_000;
const WARMUP = 30;
/** Of each cell in a round; fixed by the first run of each, which is not kept, so that it takes about the time. */
const COUNTS = { first: 30, least: 60, most: 400, ms: 8 } as const;
/** The memory bus alone: below it nothing that copies can go. */
const COPY_KIND: LimitKind = { name: "memcpy", mode: "polling", of: [] };
/** Of the program's buffers and of one POSIX queue message, header included. */
const LARGEST_BYTES = 256 * 1024;
const LARGEST_QUEUE_BYTES = 8000;
const GUESS_MS = 25;

/** One program run per round. */
export interface LimitCell {
  readonly kind: LimitKind;
  readonly placement: Placement;
  readonly payloadBytes: number;
}

/**
 * Compiles the C program in the run's own directory, or says why there are no limits.
 *
 * @param transports only the mechanisms under these are measured, and the memory bus: the others would cost every round time
 */
export async function openLimits(
  place: Place,
  placements: readonly Placement[],
  payloads: readonly number[],
  transports: readonly string[],
): Promise<LimitBoard | { readonly reason: string }> {
  const cells = cellsOf(placements, payloads, new Set(transports.map(limitKindOf)));
  if (cells.length === 0)
    return { reason: "the C program pins its processes and plays ping-pong: nothing here compares" };
  const program = await compileLimits(place);
  if (typeof program !== "string") return program;
  return new LimitBoard(program, cells);
}

function cellsOf(
  placements: readonly Placement[],
  payloads: readonly number[],
  wanted: ReadonlySet<string | undefined>,
): LimitCell[] {
  const kinds = [...LIMIT_KINDS.filter(({ name }) => wanted.has(name)), COPY_KIND];
  const pinned = placements.filter((placement) => placement !== "unpinned");
  return pinned.flatMap((placement) =>
    payloads
      .filter((payloadBytes) => payloadBytes <= LARGEST_BYTES)
      .flatMap((payloadBytes) =>
        kinds
          .filter(({ name }) => name !== "queue" || payloadBytes <= LARGEST_QUEUE_BYTES)
          // Two ends that spin on one CPU wait for the scheduler; a copy has one end and needs one placement.
          .filter(({ mode, name }) => mode !== "polling" || (placement === "same-cpu") === (name === "memcpy"))
          .map((kind) => ({ kind, placement, payloadBytes })),
      ),
  );
}

/** What plain C does here, measured as further cells of the same rounds. */
export class LimitBoard {
  readonly cells: readonly LimitCell[];
  readonly guessMs: number;
  readonly #program: string;
  readonly #trials = new Map<LimitCell, Trial[]>();
  readonly #failures = new Map<LimitCell, string>();
  readonly #counts = new Map<LimitCell, number>();

  constructor(program: string, cells: readonly LimitCell[]) {
    this.#program = program;
    this.cells = cells;
    this.guessMs = cells.length * GUESS_MS;
  }

  /** Before round one: fixes how many round trips each cell makes, in all rounds alike. */
  async calibrate(): Promise<void> {
    for (const cell of this.cells) {
      const samples = await this.#measure(cell, COUNTS.first);
      if (samples === undefined) continue;
      const meanNs = samples.reduce((sum, each) => sum + each, 0) / samples.length;
      const fitting = Math.round((COUNTS.ms * 1e6) / Math.max(1, meanNs));
      this.#counts.set(cell, Math.min(COUNTS.most, Math.max(COUNTS.least, fitting)));
    }
  }

  async run(cell: LimitCell, round: number, startedAtMs: number): Promise<void> {
    const samples = await this.#measure(cell, this.#countOf(cell));
    if (samples === undefined) return;
    const trials = this.#trials.get(cell) ?? [];
    this.#trials.set(cell, [...trials, trialOf(samples, round, startedAtMs)]);
  }

  #countOf(cell: LimitCell): number {
    return this.#counts.get(cell) ?? COUNTS.most;
  }

  async #measure(cell: LimitCell, count: number): Promise<Float64Array | undefined> {
    const cpus = placementCpus(cell.placement);
    if ("reason" in cpus || this.#failures.has(cell)) return undefined;
    const args = [cell.kind.name, cpus.driver, cpus.peer, cell.payloadBytes, WARMUP, count].map(String);
    try {
      const { stdout } = await execute(this.#program, args, { timeout: RUN_TIMEOUT_MS, killSignal: "SIGKILL" });
      const samples = Float64Array.from(stdout.trim().split("\n"), Number);
      if (samples.length !== count || samples.some((value) => !(value >= 0)))
        throw new Error("it printed something else than times");
      return samples;
    } catch (error) {
      this.#failures.set(cell, `the C program failed: ${(error as Error).message.split("\n")[0]}`);
      return undefined;
    }
  }

  rows(): Measurement[] {
    return this.cells.map((cell) => this.#rowOf(cell));
  }

  #rowOf(cell: LimitCell): Measurement {
    const trials = this.#trials.get(cell) ?? [];
    const failure = this.#failures.get(cell) ?? (trials.length === 0 ? "no round ran" : undefined);
    return {
      benchmark: "limit",
      model: cell.kind.name === "memcpy" ? "memcpy" : "ping-pong",
      transport: `limit/${cell.kind.name}`,
      mode: cell.kind.mode,
      placement: cell.placement,
      payloadBytes: cell.payloadBytes,
      inFlight: 1,
      clients: 1,
      ratePerSecond: null,
      codec: "raw",
      peer: { language: "c", version: "" },
      status: failure === undefined ? "measured" : "failed",
      ...(failure === undefined ? {} : { reason: failure }),
      messages: this.#countOf(cell),
      ...aggregate(trials, cell.payloadBytes),
      trials,
      warnings: [],
    };
  }
}

function trialOf(samples: Float64Array, round: number, startedAtMs: number): Trial {
  const elapsedNs = samples.reduce((sum, each) => sum + each, 0);
  return {
    ...NOTHING,
    round,
    startedAtMs: Math.round(startedAtMs),
    status: "valid",
    histogram: encodeHistogram(samples),
    latencyNs: quantilesOf(summarize(samples)),
    messagesPerSecond: elapsedNs > 0 ? (samples.length / elapsedNs) * 1e9 : 0,
  };
}
