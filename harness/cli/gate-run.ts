import { type Base, type BaseChoice, openBase } from "../../ci/gate/base.ts";
import { judgeBudgets } from "../../ci/gate/budgets.ts";
import { type GateCell, gateCell } from "../../ci/gate/cells.ts";
import { commandSides, runCommandGate } from "../../ci/gate/command-gate.ts";
import { type Checkout, checkoutOf } from "../../ci/gate/git.ts";
import { refusePlugAndPlay } from "../../ci/gate/install.ts";
import { foreignFile, listing, loadedRecord } from "../../ci/gate/loaded.ts";
import type { Metric } from "../../ci/gate/metrics.ts";
import type { GateResult, LoadedRecord } from "../../ci/gate/result.ts";
import { type Found, runGate } from "../../ci/gate/run.ts";
import {
  acceptedUpTo,
  limitsFor,
  readSettings,
  refuseUnmeant,
  type Settings,
  withAccepted,
} from "../../ci/gate/settings.ts";
import { DEFAULT_RULE, type GateRule, type Limits } from "../../ci/gate/verdict.ts";
import type { WaitMode } from "../../transports/contract/capabilities.ts";
import { ffiFloor } from "../../transports/posix/index.ts";
import type { Cell } from "../coordinator/arm.ts";
import type { Session } from "../coordinator/session.ts";
import { note } from "../process/note.ts";
import { describeEnvironment } from "../results/environment.ts";
import { UsageError } from "../results/exit-codes.ts";
import { count } from "../results/format.ts";
import type { Placement, Warning } from "../results/model.ts";
import { type PairedUp, pairUp, refusedRow } from "./gate-sides.ts";
import type { MessagesOption, Replayed } from "./recorded.ts";
import { type RunStart, runWarnings } from "./run.ts";
import type { Candidate } from "./transports.ts";

export interface GateOptions {
  readonly baseDir?: string;
  readonly base?: string;
  readonly baseSetup?: string;
  readonly transport?: readonly string[];
  readonly payload?: readonly number[];
  readonly placement?: readonly Placement[];
  readonly mode?: readonly WaitMode[];
  readonly pairs: number;
  readonly budget: number;
  readonly messages?: MessagesOption;
  /** Recorded messages that `messages` names, once they are read. */
  readonly replayed?: Replayed | undefined;
  readonly metric?: readonly Metric[];
  readonly minEffect?: number;
  readonly tolerance?: number;
  readonly strict?: boolean;
  /** Lists of a configuration, see `ci/gate/settings.ts`. */
  readonly limits?: unknown;
  readonly budgets?: unknown;
  readonly accept?: unknown;
  readonly seed?: number;
  readonly json?: boolean;
  readonly out: string;
  readonly junit?: string;
  readonly cmd?: string;
  readonly cmdSeconds: number;
  readonly history?: string;
  readonly drift?: string;
}

/** Rule of this gate, and the limits that were given for it. */
export interface Limiting {
  readonly rule: GateRule;
  readonly typed: Partial<Limits>;
  readonly settings: Settings;
}

/** @throws UsageError where the limits contradict each other, or a list of the configuration is wrong */
export function limitingOf({ minEffect, tolerance, ...options }: GateOptions): Limiting {
  const typed = {
    ...(minEffect === undefined ? {} : { minEffect }),
    ...(tolerance === undefined ? {} : { tolerance }),
  };
  const rule = { ...DEFAULT_RULE, ...typed };
  if (rule.tolerance <= rule.minEffect) {
    throw new UsageError(
      `--tolerance must be above --min-effect, and ${rule.tolerance * 100}% is not above ${rule.minEffect * 100}%`,
    );
  }
  return { rule, typed, settings: readSettings(options, options.cmd === undefined ? "transports" : "command") };
}

/** Transports and sizes that a gate has. */
export interface Chosen {
  readonly candidates: readonly Candidate[];
  /** Modules that do not load. */
  readonly refused: readonly Warning[];
  readonly cells: readonly Cell[];
}

/** Parts of a request that both kinds of gate have. */
type Common = Pick<Parameters<typeof runGate>[1], "pairs" | "budgetMs" | "rule" | "seed" | "obstacle">;

/** Gate from its options to its result. It keeps what an interrupted one has so far. */
export class GateRun {
  readonly #options: GateOptions;
  readonly #limiting: Limiting;
  readonly #run: RunStart;
  readonly #chosen: Chosen;
  #base: Base | undefined;
  #checkouts: { readonly base: Checkout; readonly head: Checkout } | undefined;
  #loaded: LoadedRecord | undefined;
  #soFar: () => Found = () => ({ rows: [], pairs: [] });

  constructor(options: GateOptions, limiting: Limiting, run: RunStart, chosen: Chosen) {
    this.#options = options;
    this.#limiting = limiting;
    this.#run = run;
    this.#chosen = chosen;
  }

  /** Opens the base and measures both sides. @throws UsageError, IncompleteError */
  async measure(session: Session, choice: BaseChoice): Promise<Found> {
    const base = await openBase(choice, session);
    this.#base = base;
    this.#checkouts = { base: await checkoutOf(base.directory, base.commit), head: await checkoutOf(base.head) };
    const common: Common = {
      pairs: this.#options.pairs,
      budgetMs: this.#options.budget,
      rule: this.#limiting.rule,
      seed: this.#run.seed,
      obstacle: () => {
        this.#loaded = loadedRecord(base, session);
        return foreignFile(base, session.place);
      },
    };
    const { cmd } = this.#options;
    return cmd === undefined ? this.#transports(session, base, common) : this.#command(cmd, session, base, common);
  }

  #command(command: string, session: Session, base: Base, common: Common): Promise<Found> {
    note(`gate of ${command} against ${base.name}; seed ${this.#run.seed}`);
    const request = {
      ...common,
      command,
      sides: commandSides(base, session.place),
      limitsOf: (cell: GateCell): Limits => limitsFor(cell, "value", this.#limiting),
      limitMs: this.#options.cmdSeconds * 1000,
      signal: session.interrupted,
      onBegin: (found: () => Found): void => {
        this.#soFar = found;
      },
    };
    return runCommandGate(request, this.#run.progress);
  }

  async #transports(session: Session, base: Base, common: Common): Promise<Found> {
    const { candidates, refused, cells } = this.#chosen;
    const { metric, messages } = this.#options;
    const { settings } = this.#limiting;
    refusePlugAndPlay(base.directory);
    const paired = await pairUp(candidates, base, this.#options, cells);
    // A setting may be about a module that did not load, whose cells are unknown.
    if (refused.length === 0) refuseUnmeant(settings, declaredCells(paired, cells));
    const { sides } = paired;
    const others = [...refused.map(refusedRow), ...paired.others];
    if (sides.length + others.length === 0)
      throw new UsageError("no transport matches this --mode and --placement; choose different values");
    note(`gate against ${base.name}: ${declared(sides, cells.length)}; seed ${this.#run.seed}`);
    if (sides.length === 0) return { rows: others, pairs: [] };
    const withOthers = (found: Found): Found => ({ ...found, rows: [...others, ...found.rows] });
    const request = {
      ...common,
      sides: sides.map((each) => listing(each, session)),
      cells,
      metrics: metric,
      limitsOf: (cell: GateCell, of: Metric): Limits => limitsFor(cell, of, this.#limiting),
      acceptedOf: (cell: GateCell, of: Metric) => acceptedUpTo(settings, cell, of, today()),
      budgets: settings.budgets,
      ...(typeof messages === "number" ? { messages } : {}),
      onBegin: (found: () => Found): void => {
        this.#soFar = () => withOthers(found());
      },
    };
    return withOthers(await runGate(session, request, this.#run.progress));
  }

  /** Returns the result of a gate that was interrupted. */
  soFar(): GateResult {
    return this.result(this.#soFar(), false);
  }

  /** @param complete false where the gate was interrupted */
  result({ rows, pairs, ...found }: Found, complete: boolean): GateResult {
    const { baseDir, base, strict } = this.#options;
    const { rule, settings } = this.#limiting;
    const run = this.#run;
    const budgets = judgeBudgets(settings.budgets, { rows, pairs, ...found });
    return {
      complete,
      startedAt: run.startedAt.toISOString(),
      base: this.#base?.name ?? baseDir ?? base ?? "",
      commits: { base: this.#checkouts?.base.commit ?? null, head: this.#checkouts?.head.commit ?? null },
      dirty: this.#checkouts?.head.isDirty ?? false,
      environment: { ...describeEnvironment(run.cpu, ffiFloor()), loadAverage1: run.loadAverage1 },
      seed: run.seed,
      rule,
      durationMs: Math.round(performance.now() - run.startedMs),
      rows: withAccepted(rows, settings, today()),
      // An interrupted gate leaves out the budgets of cells that it has not reached.
      budgets: complete ? budgets : budgets.filter(({ outcome }) => outcome !== "untold"),
      pairs,
      ...found,
      strict: strict === true,
      ...(this.#loaded === undefined ? {} : { loaded: this.#loaded }),
      warnings: [...(this.#base?.warnings ?? []), ...runWarnings(run)],
    };
  }
}

/** Returns the day, UTC. */
function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Formats `2 mechanisms, 1 cell each`. */
function declared(sides: PairedUp["sides"], sizes: number): string {
  const mechanisms = new Set(sides.map(({ head }) => head.transport.id)).size;
  const each = (sides.length * sizes) / Math.max(1, mechanisms);
  const cells = Number.isInteger(each) ? `${count(each, "cell")} each` : `${sides.length * sizes} cells in all`;
  return `${count(mechanisms, "mechanism")}, ${cells}`;
}

function declaredCells({ sides, others }: PairedUp, cells: readonly Cell[]): GateCell[] {
  const measured = sides.flatMap(({ head }) => cells.map((cell) => gateCell(head, cell)));
  return [...measured, ...others.map(({ cell }) => cell)];
}
