import { announcedTime } from "../../harness/coordinator/announced-time.ts";
import type { Arm, Cell } from "../../harness/coordinator/arm.ts";
import { calibrateAll } from "../../harness/coordinator/calibrate.ts";
import { type PairedArm, runPairs } from "../../harness/coordinator/pairs.ts";
import { planRun } from "../../harness/coordinator/plan.ts";
import type { Progress } from "../../harness/coordinator/progress.ts";
import { ArmRecord } from "../../harness/coordinator/record.ts";
import type { Session } from "../../harness/coordinator/session.ts";
import { note } from "../../harness/process/note.ts";
import { crashReason } from "../../harness/results/crashes.ts";
import { median } from "../../harness/results/quantiles.ts";
import { randomFrom } from "../../harness/results/random.ts";
import { nameOf, type TransportCell } from "./cells.ts";
import { PairTimes, ROUNDS_TO_ANNOUNCE, secondsText } from "./pair-times.ts";
import type { GateRow } from "./result.ts";
import {
  type Evidence,
  evidenceOf,
  type GateRule,
  judge,
  type Pair,
  settledByScreen,
  suspiciouslyFast,
} from "./verdict.ts";

/** Both sides of an arm. */
export interface Sides {
  readonly head: Arm;
  readonly base: Arm;
}

export interface GateRequest {
  readonly sides: readonly Sides[];
  readonly cells: readonly Cell[];
  readonly pairs: number;
  readonly messages?: number;
  readonly rule: GateRule;
  readonly seed: number;
  /** Returns why the sides cannot be compared; called after each round, and nothing more is measured then. */
  readonly obstacle?: () => string | undefined;
  /** Called once, with a function that returns the rows so far. */
  readonly onBegin?: (soFar: () => GateRow[]) => void;
}

/** Number of pairs of the second stage, as a multiple of the first. */
const CONFIRM_FACTOR = 2;
/** Number of invalid trials that fail a cell: one may be the machine's. */
const MAX_INVALID = 2;

/** Record of one cell. */
interface Ledger {
  readonly cell: TransportCell;
  readonly pairs: { screen: Pair[]; confirm: Pair[] };
  readonly invalid: string[];
  screen?: Evidence;
}

/** Screens, then confirms: see `ci/gate/README.md`. */
export async function runGate(session: Session, request: GateRequest, progress: Progress): Promise<GateRow[]> {
  const random = randomFrom(request.seed);
  const { sides, cells, pairs, rule } = request;
  progress.begin(sides.length, 0);
  const rows: GateRow[] = [];
  const records = sides.map(({ head }) => new ArmRecord(head));
  const wanted = records.map((record) => ({ records: [record] as const, cells }));
  const onArm = ({ transport }: Arm): void => progress.step(`calibrating ${transport.id}`);
  const paces = await calibrateAll({ ...session, inactivityTimeoutMs: undefined, onArm }, wanted);
  for (const record of records) {
    const head = record.arm;
    const pace = paces.flatMap(({ arms }) => arms).find(({ arm }) => arm === head);
    for (const cell of cells) {
      if (pace?.paces.some((found) => found.cell === cell)) continue;
      const reason = record.impossible.get(cell) ?? record.failures.get(cell) ?? "it could not be calibrated";
      rows.push({ cell: gateCell(head, cell), outcome: "missing", reason: `head: ${reason}`, notes: [] });
    }
  }
  const plan = planRun(paces, {
    effort: "default",
    rounds: { least: pairs, most: pairs },
    leftMs: Number.POSITIVE_INFINITY,
    extraMs: 0,
    messages: request.messages,
  });
  const arms = plan.groups.flatMap(({ arms: heads, plannedMs }) =>
    heads.map((head): PairedArm => {
      const { base } = sides.find((side) => side.head === head.arm) as Sides;
      return { head, base, plannedMs };
    }),
  );
  const ledgers = new Map(
    arms.flatMap((arm) => arm.head.cells.map(({ cell }) => [keyOf(arm, cell), newLedger(arm, cell)] as const)),
  );
  request.onBegin?.(() => [...rows, ...[...ledgers.values()].map((ledger) => rowSoFar(ledger, rule, random))]);
  let obstacle: string | undefined;
  const times = new PairTimes();
  const stage = async (name: "screen" | "confirm", count: number): Promise<void> => {
    const wanted = (arm: PairedArm, cell: Cell): boolean =>
      obstacle === undefined && isWanted(ledgers.get(keyOf(arm, cell)), name, rule);
    const busy = arms.filter((arm) => arm.head.cells.some(({ cell }) => wanted(arm, cell)));
    if (busy.length === 0) return;
    const roundMs = (): number => busy.reduce((sum, arm) => sum + times.pairMs(arm, cellsOf(arm, wanted)), 0);
    const announce = announcer(name, count, busy.length);
    progress.begin(count * busy.length, count * roundMs());
    if (name === "confirm") announce(0, count * roundMs());
    const startedMs = performance.now();
    const onRound = (done: number): void => {
      obstacle ??= request.obstacle?.();
      if (obstacle !== undefined) return;
      const restMs = (count - done) * roundMs();
      progress.replan(restMs, (count - done) * busy.length);
      if (done >= ROUNDS_TO_ANNOUNCE && done < count) announce(done, performance.now() - startedMs + restMs);
    };
    await runPairs(
      session.supervisor,
      session.place,
      {
        arms: busy,
        pairs: count,
        wanted,
        random,
        stage: name,
        onRound,
        onTrials: (arm, cells, ms) => times.add(arm, cells, ms),
        onPair: (arm, cell, outcome) => {
          const ledger = ledgers.get(keyOf(arm, cell)) as Ledger;
          if ("reason" in outcome) ledger.invalid.push(outcome.reason);
          else ledger.pairs[name].push(outcome);
        },
      },
      progress,
    );
  };
  await stage("screen", pairs);
  for (const ledger of ledgers.values()) {
    if (ledger.pairs.screen.length > 0) ledger.screen = evidenceOf(ledger.pairs.screen, random);
  }
  await stage("confirm", pairs * CONFIRM_FACTOR);
  progress.end();
  const confirmed = [...ledgers.values()].filter(({ pairs: found }) => found.confirm.length > 0).length;
  return [...rows, ...[...ledgers.values()].map((ledger) => rowOf(ledger, rule, confirmed, random))].map((row) => {
    const reason = obstacle ?? crashReason(session.supervisor.crashes, transportOf(row));
    return reason === undefined ? row : { cell: row.cell, outcome: "missing", reason, notes: [] };
  });
}

function transportOf({ cell }: GateRow): string {
  return "transport" in cell ? cell.transport : "";
}

/** Announces the time of a stage, and once more whenever it turns out to be another. */
function announcer(stage: string, pairs: number, arms: number): (done: number, wholeMs: number) => void {
  const isNews = announcedTime();
  let isFirst = true;
  return (done, wholeMs) => {
    if (!isNews(wholeMs)) return;
    const what = isFirst ? `${pairs} pairs of ${arms} arms` : `after ${done} of ${pairs} pairs`;
    note(`${stage}: ${what}, about ${secondsText(wholeMs)} in all`);
    isFirst = false;
  };
}

function cellsOf(arm: PairedArm, wanted: (arm: PairedArm, cell: Cell) => boolean): Cell[] {
  return arm.head.cells.map(({ cell }) => cell).filter((cell) => wanted(arm, cell));
}

function isWanted(ledger: Ledger | undefined, stage: "screen" | "confirm", rule: GateRule): boolean {
  if (ledger === undefined || ledger.invalid.length >= MAX_INVALID) return false;
  return stage === "screen" || ledger.screen === undefined || !settledByScreen(ledger.screen, rule);
}

/** Returns the row of an interrupted run: a cell that needs more pairs has no verdict. */
function rowSoFar(ledger: Ledger, rule: GateRule, random: () => number): GateRow {
  if (!isWanted(ledger, "confirm", rule)) return rowOf(ledger, rule, 0, random);
  return { cell: ledger.cell, outcome: "missing", reason: "the run was interrupted", notes: [] };
}

function rowOf(ledger: Ledger, rule: GateRule, confirmed: number, random: () => number): GateRow {
  const { cell, invalid, screen, pairs } = ledger;
  const first = invalid[0];
  if (invalid.length >= MAX_INVALID || screen === undefined) {
    return { cell, outcome: "missing", reason: first ?? "no pair ran", notes: [] };
  }
  const settled = pairs.confirm.length === 0;
  const evidence = settled ? screen : evidenceOf(pairs.confirm, random);
  const decided = settled ? pairs.screen : pairs.confirm;
  const notes = first === undefined ? [] : [`one pair was invalid: ${first}`];
  if (suspiciouslyFast(evidence)) notes.push("less than half the time: is all the work still done?");
  return {
    cell,
    outcome: settled ? "not-slower" : judge(evidence, rule, confirmed),
    screen,
    ...(settled ? {} : { confirm: evidence }),
    baseP50: median(decided.map(({ base }) => base)),
    headP50: median(decided.map(({ head }) => head)),
    notes,
  };
}

function gateCell({ transport, mode, placement }: Arm, { payloadBytes }: Cell): TransportCell {
  return { transport: transport.id, mode, placement, payloadBytes };
}

function newLedger({ head }: PairedArm, cell: Cell): Ledger {
  return { cell: gateCell(head.arm, cell), pairs: { screen: [], confirm: [] }, invalid: [] };
}

function keyOf({ head }: PairedArm, cell: Cell): string {
  return nameOf(gateCell(head.arm, cell));
}
