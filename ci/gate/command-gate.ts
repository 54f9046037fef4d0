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
import { runCommand } from "./command-run.ts";
import type { CommandValue, CommandValues } from "./command-values.ts";
import { environmentIn } from "./install.ts";
import { differencesOf, judgedRow } from "./judged-row.ts";
import { listingOf } from "./loaded.ts";
import { pairsIn, pairsOfLook, ROUNDS_TO_ANNOUNCE, secondsText } from "./pair-times.ts";
import { type GateRow, INTERRUPTED, type RecordedLooks, type ValuePair } from "./result.ts";
import type { Found } from "./run.ts";
import { type Evidence, evidenceOf, type GateRule, judge, type Limits, type State } from "./verdict.ts";

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

/** Record of one value. */
interface Ledger {
  readonly cell: CommandCell;
  readonly pairs: ValuePair[];
  /** Number of runs that printed it. */
  readonly printed: Record<SideName, number>;
  readonly defects: string[];
  looks: number;
  state: State;
  evidence?: Evidence;
}

interface Course {
  readonly request: CommandGateRequest;
  readonly ledgers: Map<string, Ledger>;
  /** Reasons of runs that failed. */
  readonly failed: Record<SideName, string[]>;
  /** Number of runs that ended well. */
  readonly done: Record<SideName, number>;
  readonly random: () => number;
  readonly endsAtMs: number;
  obstacle: string | undefined;
  /** Number of pairs that ran. */
  ran: number;
  /** Number of pairs that the budget allowed in all. */
  most: number;
  pairMs: number;
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

/** Looks at the pairs of all values until each is decided or the time is spent: see `ci/gate/README.md`. */
export async function runCommandGate(request: CommandGateRequest, progress: Progress): Promise<Found> {
  const course: Course = {
    request,
    ledgers: new Map(),
    failed: { base: [], head: [] },
    done: { base: 0, head: 0 },
    random: randomFrom(request.seed),
    endsAtMs: performance.now() + request.budgetMs,
    obstacle: undefined,
    ran: 0,
    most: 0,
    pairMs: 0,
  };
  request.onBegin?.(() => foundOf(course, true));
  let count = request.pairs;
  for (let look = 1; count > 0; look++) {
    await runBlock(course, look, count, progress);
    if (!isGoingOn(course)) break;
    const rest = pairsOfLook(pairsIn(course.endsAtMs - performance.now(), course.pairMs));
    course.most = Math.max(course.most, course.ran + rest);
    const judged = [...course.ledgers.values()].filter((ledger) => isOpen(course, ledger));
    for (const ledger of judged) takeLook(course, ledger, rest);
    count = judged.some(({ state }) => state === "open") ? Math.min(request.pairs, rest) : 0;
  }
  progress.end();
  return foundOf(course, false);
}

function isGoingOn({ obstacle, failed }: Course): boolean {
  return obstacle === undefined && failed.base.length + failed.head.length < MOST_FAILURES;
}

/** True where a value can be judged and is not yet: it has no defect, and both sides print it. */
function isOpen({ done }: Course, { state, defects, printed, pairs }: Ledger): boolean {
  const isWhole = SIDES.every((side) => printed[side] === done[side]);
  return state === "open" && defects.length === 0 && isWhole && pairs.length > 0;
}

function takeLook(course: Course, ledger: Ledger, affordable: number): void {
  ledger.looks++;
  ledger.evidence = evidenceOf(differencesOf(ledger.pairs, ledger.cell), ledger.looks);
  ledger.state = judge(ledger.evidence, { ...course.request.limitsOf(ledger.cell), ...looksOf(course), affordable });
}

async function runBlock(course: Course, look: number, count: number, progress: Progress): Promise<void> {
  const { request, random } = course;
  const isNews = announcedTime();
  const startedMs = performance.now();
  progress.begin(count, count * course.pairMs);
  for (let pair = 1; pair <= count && isGoingOn(course); pair++) {
    progress.step(`look ${look}, pair ${pair}/${count}  ${oneLine(request.command, 60)}`);
    const order = random() < 0.5 ? SIDES : SIDES.toReversed();
    const found: Partial<Record<SideName, CommandValues>> = {};
    for (const side of order) {
      const { command, limitMs, signal } = request;
      found[side] = await runCommand({ command, limitMs, signal, ...request.sides[side] });
    }
    course.ran++;
    keep(course, found as Record<SideName, CommandValues>, order[0] === "head");
    course.obstacle ??= request.obstacle?.();
    course.pairMs = (performance.now() - startedMs) / pair;
    const leftMs = course.pairMs * (count - pair);
    progress.replan(leftMs, count - pair);
    if (pair >= ROUNDS_TO_ANNOUNCE && leftMs > WORTH_ANNOUNCING_MS && isNews(course.pairMs * count)) {
      note(`look ${look}: after ${pair} of ${count} pairs, about ${secondsText(course.pairMs * count)} in all`);
    }
  }
}

/** Keeps what both runs of a pair printed. */
function keep(course: Course, found: Record<SideName, CommandValues>, headFirst: boolean): void {
  const { ledgers, failed, done, ran: round } = course;
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
    if (other === undefined) pairs.push({ round, base: base.value, head: head.value, headFirst });
    else defects.push(`it is ${meaning(cell)} in one run and ${meaning(other)} in another; print the same in both`);
  }
}

function meaning({ unit, lower }: { readonly unit: string | undefined; readonly lower: boolean }): string {
  return `${unit ?? "without a unit"}${lower ? "" : " (higher is better)"}`;
}

function newLedger(cell: CommandCell): Ledger {
  return { cell, pairs: [], printed: { base: 0, head: 0 }, defects: [], looks: 0, state: "open" };
}

function foundOf(course: Course, isPartial: boolean): Found {
  const { ledgers, pairMs } = course;
  const pairs = [...ledgers.values()].map(({ cell, pairs }) => ({ cell, pairs }));
  const looks = ledgers.size === 0 ? {} : { looks: looksOf(course) };
  return { rows: rowsOf(course, isPartial), pairs, ...looks, ...(pairMs === 0 ? {} : { pairMs }) };
}

function rowsOf(course: Course, isPartial: boolean): GateRow[] {
  const { ledgers, failed, done, request, obstacle } = course;
  const cells = [...ledgers.values()];
  const all = (outcome: "missing" | "broken", reason: string): GateRow[] => {
    const named = cells.map(({ cell }) => cell);
    const known = named.length > 0 ? named : [{ name: oneLine(request.command, 100), unit: undefined, lower: true }];
    return known.map((cell) => ({ cell, metric: "value", outcome, reason, notes: [] }));
  };
  if (obstacle !== undefined) return all("missing", obstacle);
  const [ofBase, ofHead] = [failed.base[0], failed.head[0]];
  if (failed.base.length + failed.head.length >= MOST_FAILURES) {
    if (ofBase !== undefined) return all("missing", ofBase);
    if (ofHead !== undefined) return all(done.base > 0 ? "broken" : "missing", ofHead);
  }
  const notes = [ofBase ?? ofHead].flatMap((reason) => (reason === undefined ? [] : [`one run failed: ${reason}`]));
  return cells.map((ledger) => {
    const row = rowOf(course, ledger, isPartial);
    return { ...row, notes: [...row.notes, ...notes] };
  });
}

function rowOf(course: Course, ledger: Ledger, isPartial: boolean): GateRow {
  const { cell, pairs, printed, defects, evidence, state } = ledger;
  const without = (outcome: "missing" | "broken" | "new" | "gone", reason: string): GateRow => {
    return { cell, metric: "value", outcome, reason, notes: [] };
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
  if (evidence === undefined || (isPartial && state === "open")) return without("missing", INTERRUPTED);
  const limits = course.request.limitsOf(cell);
  const notes = cell.lower ? [] : ["higher is better: the ratio is base/head"];
  return judgedRow({ cell, metric: "value", limits, notes }, { evidence, state, costs: pairs }, looksOf(course));
}

function looksOf({ request, ledgers, most }: Course): RecordedLooks {
  return { alpha: request.rule.alpha / ledgers.size, step: request.pairs, most };
}
