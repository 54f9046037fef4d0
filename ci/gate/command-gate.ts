/** The gate of a command of the user: pairs of fresh runs of base and head, judged like the cells of transports. */
import { existsSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { announcedTime } from "../../harness/coordinator/announced-time.ts";
import type { Progress } from "../../harness/coordinator/progress.ts";
import { note } from "../../harness/process/note.ts";
import { oneLine } from "../../harness/process/rules.ts";
import { median } from "../../harness/results/quantiles.ts";
import { randomFrom } from "../../harness/results/random.ts";
import type { Place } from "../../transports/contract/transport.ts";
import type { Base } from "./base.ts";
import type { CommandCell } from "./cells.ts";
import { runCommand } from "./command-run.ts";
import type { CommandValue, CommandValues } from "./command-values.ts";
import { environmentIn } from "./install.ts";
import { listingOf } from "./loaded.ts";
import { ROUNDS_TO_ANNOUNCE, secondsText } from "./pair-times.ts";
import type { GateRow } from "./result.ts";
import { type Evidence, evidenceOf, type GateRule, judge, type Pair, settledByScreen } from "./verdict.ts";

/** Where and with which variables one side runs. */
export interface CommandSide {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

type SideName = "base" | "head";
const SIDES = ["base", "head"] as const;

export interface CommandGateRequest {
  readonly command: string;
  readonly sides: Readonly<Record<SideName, CommandSide>>;
  /** Limit of one run, ms. */
  readonly limitMs: number;
  readonly pairs: number;
  readonly rule: GateRule;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Returns why the sides cannot be compared; called after each pair, and nothing more runs then. */
  readonly obstacle?: () => string | undefined;
  /** Called once, with a function that returns the rows so far. */
  readonly onBegin?: (soFar: () => GateRow[]) => void;
}

/** Number of pairs of the second stage, as a multiple of the first. */
const CONFIRM_FACTOR = 2;
/** Number of failures that end the gate, or the row of a value: one may be the machine's. */
const MOST_FAILURES = 2;

/** Time left that is worth a line, ms. */
const WORTH_ANNOUNCING_MS = 5000;

type Stage = "screen" | "confirm";

/** Record of one value. */
interface Ledger {
  readonly cell: CommandCell;
  readonly pairs: Record<Stage, Pair[]>;
  /** Number of runs that printed it. */
  readonly printed: Record<SideName, number>;
  readonly defects: string[];
  screen?: Evidence;
}

interface Course {
  readonly request: CommandGateRequest;
  readonly ledgers: Map<string, Ledger>;
  /** Reasons of runs that failed. */
  readonly failed: Record<SideName, string[]>;
  /** Number of runs that ended well. */
  readonly done: Record<SideName, number>;
  readonly random: () => number;
  obstacle: string | undefined;
}

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

/** Screens, then confirms: see `ci/gate/README.md`. */
export async function runCommandGate(request: CommandGateRequest, progress: Progress): Promise<GateRow[]> {
  const course: Course = {
    request,
    ledgers: new Map(),
    failed: { base: [], head: [] },
    done: { base: 0, head: 0 },
    random: randomFrom(request.seed),
    obstacle: undefined,
  };
  request.onBegin?.(() => rowsOf(course, true));
  await runStage(course, "screen", request.pairs, progress);
  for (const ledger of course.ledgers.values()) {
    if (ledger.pairs.screen.length > 0) ledger.screen = evidenceIn(ledger, "screen", course.random);
  }
  await runStage(course, "confirm", request.pairs * CONFIRM_FACTOR, progress);
  progress.end();
  return rowsOf(course, false);
}

async function runStage(course: Course, stage: Stage, count: number, progress: Progress): Promise<void> {
  const { request, random, failed } = course;
  const isWanted = (): boolean =>
    course.obstacle === undefined &&
    failed.base.length + failed.head.length < MOST_FAILURES &&
    (stage === "screen" || [...course.ledgers.values()].some((ledger) => needsMore(ledger, request.rule)));
  const isNews = announcedTime();
  const startedMs = performance.now();
  progress.begin(count, 0);
  for (let pair = 1; pair <= count && isWanted(); pair++) {
    progress.step(`${stage} ${pair}/${count}  ${oneLine(request.command, 60)}`);
    const order = random() < 0.5 ? SIDES : SIDES.toReversed();
    const found: Partial<Record<SideName, CommandValues>> = {};
    for (const side of order) {
      const { command, limitMs, signal } = request;
      found[side] = await runCommand({ command, limitMs, signal, ...request.sides[side] });
    }
    keep(course, stage, found as Record<SideName, CommandValues>);
    course.obstacle ??= request.obstacle?.();
    const wholeMs = ((performance.now() - startedMs) / pair) * count;
    const leftMs = (wholeMs * (count - pair)) / count;
    progress.replan(leftMs, count - pair);
    if (pair >= ROUNDS_TO_ANNOUNCE && leftMs > WORTH_ANNOUNCING_MS && isWanted() && isNews(wholeMs)) {
      note(`${stage}: after ${pair} of ${count} pairs, about ${secondsText(wholeMs)} in all`);
    }
  }
}

/** Keeps what both runs of a pair printed. */
function keep({ ledgers, failed, done }: Course, stage: Stage, found: Record<SideName, CommandValues>): void {
  const values: Partial<Record<SideName, ReadonlyMap<string, CommandValue>>> = {};
  for (const side of SIDES) {
    const outcome = found[side];
    if ("reason" in outcome) {
      failed[side].push(`${side}: ${outcome.reason}`);
      continue;
    }
    done[side]++;
    values[side] = outcome.values;
    for (const [name, { unit, lower }] of outcome.values) {
      const ledger = ledgers.get(name) ?? newLedger({ name, unit, lower });
      ledger.printed[side]++;
      ledgers.set(name, ledger);
    }
  }
  if (values.base === undefined || values.head === undefined) return;
  for (const [name, { cell, pairs, defects }] of ledgers) {
    const [base, head] = [values.base.get(name), values.head.get(name)];
    if (base === undefined || head === undefined) continue;
    const other = [base, head].find(({ unit, lower }) => unit !== cell.unit || lower !== cell.lower);
    if (other === undefined) pairs[stage].push({ base: base.value, head: head.value });
    else defects.push(`it is ${meaning(cell)} in one run and ${meaning(other)} in another; print the same in both`);
  }
}

function meaning({ unit, lower }: { readonly unit: string | undefined; readonly lower: boolean }): string {
  return `${unit ?? "without a unit"}${lower ? "" : " (higher is better)"}`;
}

function newLedger(cell: CommandCell): Ledger {
  return { cell, pairs: { screen: [], confirm: [] }, printed: { base: 0, head: 0 }, defects: [] };
}

/** Judges pairs by a ratio head/base that is above 1 where the head is worse. */
function evidenceIn({ cell, pairs }: Ledger, stage: Stage, random: () => number): Evidence {
  const directed = ({ base, head }: Pair): Pair => (cell.lower ? { base, head } : { base: 1 / base, head: 1 / head });
  return evidenceOf(pairs[stage].map(directed), random);
}

function needsMore(ledger: Ledger, rule: GateRule): boolean {
  return ledger.defects.length === 0 && ledger.screen !== undefined && !settledByScreen(ledger.screen, rule);
}

function rowsOf(course: Course, isPartial: boolean): GateRow[] {
  const { ledgers, failed, done, request, obstacle } = course;
  const cells = [...ledgers.values()];
  const all = (outcome: "missing" | "broken", reason: string): GateRow[] => {
    const named = cells.map(({ cell }) => cell);
    const known = named.length > 0 ? named : [{ name: oneLine(request.command, 100), unit: undefined, lower: true }];
    return known.map((cell) => ({ cell, outcome, reason, notes: [] }));
  };
  if (obstacle !== undefined) return all("missing", obstacle);
  const [ofBase, ofHead] = [failed.base[0], failed.head[0]];
  if (failed.base.length + failed.head.length >= MOST_FAILURES) {
    if (ofBase !== undefined) return all("missing", ofBase);
    if (ofHead !== undefined) return all(done.base > 0 ? "broken" : "missing", ofHead);
  }
  const notes = [ofBase ?? ofHead].flatMap((reason) => (reason === undefined ? [] : [`one run failed: ${reason}`]));
  const confirmed = cells.filter((ledger) => needsMore(ledger, request.rule)).length;
  return cells.map((ledger) => {
    const row = rowOf(course, ledger, confirmed, isPartial);
    return { ...row, notes: [...row.notes, ...notes] };
  });
}

function rowOf(course: Course, ledger: Ledger, confirmed: number, isPartial: boolean): GateRow {
  const { cell, pairs, printed, defects, screen } = ledger;
  const { rule } = course.request;
  const without = (outcome: "missing" | "broken" | "new" | "gone", reason: string): GateRow => {
    return { cell, outcome, reason, notes: [] };
  };
  const [defect] = defects;
  if (defect !== undefined) return without("missing", defect);
  if (printed.base === 0) return without("new", "only the head prints it");
  if (printed.head === 0) return without("gone", "only the base prints it");
  const lacking = SIDES.find((side) => printed[side] < course.done[side]);
  if (lacking !== undefined) {
    const reason = `${lacking}: ${printed[lacking]} of ${course.done[lacking]} runs printed it; print it in every run`;
    return without(lacking === "head" ? "broken" : "missing", reason);
  }
  const isConfirmed = needsMore(ledger, rule);
  if (screen === undefined || (isPartial && isConfirmed)) return without("missing", "the run was interrupted");
  const decided = pairs[isConfirmed ? "confirm" : "screen"];
  const evidence = isConfirmed ? evidenceIn(ledger, "confirm", course.random) : screen;
  return {
    cell,
    outcome: isConfirmed ? judge(evidence, rule, confirmed) : "not-slower",
    screen,
    ...(isConfirmed ? { confirm: evidence } : {}),
    baseValue: median(decided.map(({ base }) => base)),
    headValue: median(decided.map(({ head }) => head)),
    notes: cell.lower ? [] : ["higher is better: the ratio is base/head"],
  };
}
