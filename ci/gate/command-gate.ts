/** The gate of a command of the user: pairs of fresh runs of base and head, judged like the cells of transports. */
import { existsSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { announcedTime } from "../../harness/coordinator/announced-time.ts";
import type { Progress } from "../../harness/coordinator/progress.ts";
import { note } from "../../harness/process/note.ts";
import { oneLine } from "../../harness/process/rules.ts";
import { randomFrom } from "../../harness/results/random.ts";
import type { Place } from "../../transports/contract/transport.ts";
import type { Base } from "./base.ts";
import type { CommandCell } from "./cells.ts";
import { CommandLedger, SIDES, type SideName } from "./command-ledger.ts";
import { runCommand } from "./command-run.ts";
import type { CommandValue, CommandValues } from "./command-values.ts";
import { environmentIn } from "./install.ts";
import { listingOf } from "./loaded.ts";
import { type LookedAt, type Looks, lookUntilDecided } from "./looks.ts";
import { pairsIn, ROUNDS_TO_ANNOUNCE, secondsText } from "./pair-times.ts";
import type { GateRow, RecordedLooks, RowOutcome } from "./result.ts";
import type { Found } from "./run.ts";
import type { GateRule, Limits } from "./verdict.ts";

/** Where and with which variables one side runs. */
export interface CommandSide {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface CommandGateRequest {
  readonly command: string;
  readonly sides: Readonly<Record<SideName, CommandSide>>;
  /** Limit of one run, ms. */
  readonly limitMs: number;
  /** Number of pairs between two looks at the data. */
  readonly pairs: number;
  /** Time for all of it; the pairs of the first look run in any case. */
  readonly budgetMs: number;
  readonly rule: GateRule;
  readonly limitsOf: (cell: CommandCell) => Limits;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Returns why the sides cannot be compared; called after each pair, and nothing more runs then. */
  readonly obstacle?: () => string | undefined;
  /** Called once, with a function that returns what was found so far. */
  readonly onBegin?: (soFar: () => Found) => void;
}

/** Number of failures that end the gate, or the row of a value: one may be the machine's. */
const MOST_FAILURES = 2;

/** Time left that is worth a line, ms. */
const WORTH_ANNOUNCING_MS = 5000;

/** Returns the sides of a gate against this base: both run in the folder that the gate was started in. */
export function commandSides(base: Base, place: Place): Readonly<Record<SideName, CommandSide>> {
  const cwd = realpathSync(process.cwd());
  const same = join(base.directory, relative(base.head, cwd));
  const { NODE_ENV } = process.env;
  const nodeEnv = NODE_ENV === undefined ? {} : { NODE_ENV };
  const side = (name: SideName, tree: string, cwd: string): CommandSide => ({
    cwd,
    env: { ...environmentIn(tree), ...nodeEnv, ...listingOf(name, place) },
  });
  return {
    base: side("base", base.directory, existsSync(same) ? same : base.directory),
    head: side("head", base.head, cwd),
  };
}

/** Looks at the pairs of all values until each is decided or the time is spent: see `ci/gate/README.md`. */
export async function runCommandGate(request: CommandGateRequest, progress: Progress): Promise<Found> {
  const gate = new CommandGate(request, progress);
  request.onBegin?.(() => gate.found(true));
  await lookUntilDecided(gate);
  progress.end();
  return gate.found(false);
}

/** Pairs of runs of a command. */
class CommandGate implements LookedAt<CommandLedger> {
  ran = 0;
  most = 0;
  readonly #request: CommandGateRequest;
  readonly #progress: Progress;
  readonly #ledgers = new Map<string, CommandLedger>();
  /** Reasons of runs that failed. */
  readonly #failed: Record<SideName, string[]> = { base: [], head: [] };
  /** Number of runs that ended well. */
  readonly #done: Record<SideName, number> = { base: 0, head: 0 };
  readonly #random: () => number;
  readonly #endsAtMs: number;
  #obstacle: string | undefined;
  #pairMs = 0;

  constructor(request: CommandGateRequest, progress: Progress) {
    this.#request = request;
    this.#progress = progress;
    this.#random = randomFrom(request.seed);
    this.#endsAtMs = performance.now() + request.budgetMs;
  }

  get ledgers(): readonly CommandLedger[] {
    return [...this.#ledgers.values()];
  }

  get looks(): Looks {
    const { rule, pairs } = this.#request;
    return { alpha: rule.alpha / Math.max(1, this.#ledgers.size), step: pairs };
  }

  affordable(wanted: (ledger: CommandLedger) => boolean): number {
    return this.ledgers.some(wanted) ? pairsIn(this.#endsAtMs - performance.now(), this.#pairMs) : 0;
  }

  async runBlock(look: number, count: number): Promise<boolean> {
    const progress = this.#progress;
    const isNews = announcedTime();
    const startedMs = performance.now();
    progress.begin(count, count * this.#pairMs);
    for (let pair = 1; pair <= count && this.#isGoingOn; pair++) {
      progress.step(`look ${look}, pair ${pair}/${count}  ${oneLine(this.#request.command, 60)}`);
      await this.#runPair();
      this.#pairMs = (performance.now() - startedMs) / pair;
      const leftMs = this.#pairMs * (count - pair);
      progress.replan(leftMs, count - pair);
      if (pair >= ROUNDS_TO_ANNOUNCE && leftMs > WORTH_ANNOUNCING_MS && isNews(this.#pairMs * count))
        note(`look ${look}: after ${pair} of ${count} pairs, about ${secondsText(this.#pairMs * count)} in all`);
    }
    return this.#isGoingOn;
  }

  get #failures(): number {
    return this.#failed.base.length + this.#failed.head.length;
  }

  get #isGoingOn(): boolean {
    return this.#obstacle === undefined && this.#failures < MOST_FAILURES;
  }

  async #runPair(): Promise<void> {
    const { command, limitMs, signal, sides, obstacle } = this.#request;
    const order = this.#random() < 0.5 ? SIDES : SIDES.toReversed();
    const found: Partial<Record<SideName, CommandValues>> = {};
    for (const side of order) found[side] = await runCommand({ command, limitMs, signal, ...sides[side] });
    this.ran++;
    const [base, head] = SIDES.map((side) => this.#valuesOf(side, found[side] as CommandValues));
    if (base !== undefined && head !== undefined) this.#addPairs(base, head, order[0] === "head");
    this.#obstacle ??= obstacle?.();
  }

  /** Counts what a run printed. @returns undefined where it failed */
  #valuesOf(side: SideName, outcome: CommandValues): ReadonlyMap<string, CommandValue> | undefined {
    if ("reason" in outcome) {
      this.#failed[side].push(`${side}: ${outcome.reason}`);
      return undefined;
    }
    this.#done[side]++;
    for (const [name, { unit, lower }] of outcome.values) {
      const cell = { name, unit, lower };
      const ledger = this.#ledgers.get(name) ?? new CommandLedger(cell, this.#request.limitsOf(cell), this.#done);
      ledger.print(side);
      this.#ledgers.set(name, ledger);
    }
    return outcome.values;
  }

  #addPairs(
    ofBase: ReadonlyMap<string, CommandValue>,
    ofHead: ReadonlyMap<string, CommandValue>,
    headFirst: boolean,
  ): void {
    for (const [name, ledger] of this.#ledgers) {
      const [base, head] = [ofBase.get(name), ofHead.get(name)];
      if (base !== undefined && head !== undefined) ledger.add({ round: this.ran, headFirst }, { base, head });
    }
  }

  /** @param isPartial true where the gate was interrupted */
  found(isPartial: boolean): Found {
    const pairs = this.ledgers.map(({ cell, pairs }) => ({ cell, pairs }));
    const looks = { ...this.looks, most: this.most };
    return {
      rows: this.#failedRows() ?? this.#rows(looks, isPartial),
      pairs,
      ...(pairs.length === 0 ? {} : { looks }),
      ...(this.#pairMs === 0 ? {} : { pairMs: this.#pairMs }),
    };
  }

  #rows(looks: RecordedLooks, isPartial: boolean): GateRow[] {
    const [failed] = [...this.#failed.base, ...this.#failed.head];
    const notes = failed === undefined ? [] : [`one run failed: ${failed}`];
    return this.ledgers.map((ledger) => {
      const row = ledger.row(looks, isPartial);
      return { ...row, notes: [...row.notes, ...notes] };
    });
  }

  /** Returns the rows of a gate that could not go on; undefined where it could. */
  #failedRows(): GateRow[] | undefined {
    const all = (outcome: RowOutcome, reason: string): GateRow[] => {
      const command = { name: oneLine(this.#request.command, 100), unit: undefined, lower: true };
      const known = this.#ledgers.size > 0 ? this.ledgers.map(({ cell }) => cell) : [command];
      return known.map((cell) => ({ cell, metric: "value", outcome, reason, notes: [] }));
    };
    if (this.#obstacle !== undefined) return all("missing", this.#obstacle);
    if (this.#failures < MOST_FAILURES) return undefined;
    const [[ofBase], [ofHead]] = [this.#failed.base, this.#failed.head];
    if (ofBase !== undefined) return all("missing", ofBase);
    return all(this.#done.base > 0 ? "broken" : "missing", ofHead as string);
  }
}
