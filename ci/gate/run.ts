import { announcedTime } from "../../harness/coordinator/announced-time.ts";
import type { Arm, Cell } from "../../harness/coordinator/arm.ts";
import { ArmRecord } from "../../harness/coordinator/arm-record.ts";
import { calibrateAll } from "../../harness/coordinator/calibrate.ts";
import { Controls, canaryFigures } from "../../harness/coordinator/controls.ts";
import { type PairedArm, runPairs } from "../../harness/coordinator/pairs.ts";
import { type GroupPace, planRun } from "../../harness/coordinator/plan.ts";
import type { Progress } from "../../harness/coordinator/progress.ts";
import type { Session } from "../../harness/coordinator/session.ts";
import { note } from "../../harness/process/note.ts";
import { crashReason } from "../../harness/results/crashes.ts";
import { count as counted, percent } from "../../harness/results/format.ts";
import type { Placement } from "../../harness/results/model.ts";
import { randomFrom } from "../../harness/results/random.ts";
import { type Budget, comparedWithC } from "./budgets.ts";
import { type GateCell, gateCell, isMeant, nameOf, type TransportCell } from "./cells.ts";
import { type Gated, Ledger } from "./ledger.ts";
import { type LookedAt, type Looks, lookUntilDecided } from "./looks.ts";
import { type Metric, tailObstacle } from "./metrics.ts";
import { PairTimes, pairsIn, ROUNDS_TO_ANNOUNCE, secondsText } from "./pair-times.ts";
import { PlainC } from "./plain-c.ts";
import type { GateResult, GateRow } from "./result.ts";
import type { GateRule, Limits } from "./verdict.ts";

/** Both sides of an arm. */
export interface Sides {
  readonly head: Arm;
  readonly base: Arm;
}

export interface GateRequest {
  readonly sides: readonly Sides[];
  readonly cells: readonly Cell[];
  /** Number of pairs between two looks at the data. */
  readonly pairs: number;
  /** Time for all of it; the pairs of the first look run in any case. */
  readonly budgetMs: number;
  readonly messages?: number;
  readonly rule: GateRule;
  /** Metrics that were asked for; without them p50, and p99 on one CPU where it can be told. */
  readonly metrics: readonly Metric[] | undefined;
  readonly limitsOf: (cell: GateCell, metric: Metric) => Limits;
  /** Returns the slowdown up to which a regression is acknowledged today; undefined where none is. */
  readonly acceptedOf: (cell: GateCell, metric: Metric) => number | undefined;
  /** Budgets. If one is a multiple of plain C, plain C runs in the same rounds. */
  readonly budgets: readonly Budget[];
  readonly seed: number;
  /** Returns why the sides cannot be compared; called after each round, and nothing more is measured then. */
  readonly obstacle?: () => string | undefined;
  /** Called once, with a function that returns what was found so far. */
  readonly onBegin?: (soFar: () => Found) => void;
}

/** Rows and pairs of a gate. */
export type Found = Pick<GateResult, "rows" | "pairs" | "looks" | "pairMs" | "roundMs" | "cBaseline" | "baseFailure">;

/** Number of rounds from which the scatter of the pairs is announced; an interval needs as many. */
const ROUNDS_TO_SEE = 6;
/** Bursts of the canary before the run: together they have 20 delays beyond the p99. */
const CANARY_BURSTS = 6;

/** Looks at the pairs of all cells until each is decided or the time is spent: see `ci/gate/README.md`. */
export async function runGate(session: Session, request: GateRequest, progress: Progress): Promise<Found> {
  const endsAtMs = performance.now() + request.budgetMs;
  progress.begin(request.sides.length, 0);
  const { paces, missing } = await calibrated(session, request, progress);
  const arms = planned(paces, request);
  const ledgers = await ledgersOf(arms, request);
  const names = ledgers.map(({ name }) => name);
  const plainC = await PlainC.open(session.place, comparedWithC(request.budgets, names));
  const looking = new Looking(session, request, progress, arms, ledgers, endsAtMs, plainC);
  request.onBegin?.(() => looking.found(missing, true));
  if (ledgers.length > 0) await lookUntilDecided(looking);
  progress.end();
  const { rows, ...found } = looking.found(missing, false);
  const stopped = rows.map((row) => {
    const reason =
      looking.obstacle ?? crashReason(session.supervisor.crashes, "transport" in row.cell ? row.cell.transport : "");
    if (reason === undefined) return row;
    return { cell: row.cell, metric: row.metric, outcome: "missing", reason, notes: [] } as const;
  });
  return { rows: stopped, ...found };
}

interface Calibrated {
  readonly paces: readonly GroupPace[];
  readonly missing: readonly GateRow[];
}

/** Finds the paces of the head. A cell that has none there is tried on the base, to find out whose fault it is. */
async function calibrated(session: Session, request: GateRequest, progress: Progress): Promise<Calibrated> {
  const { sides, cells } = request;
  const onArm = ({ transport }: Arm): void => progress.step(`calibrating ${transport.id}`);
  const site = { ...session, inactivityTimeoutMs: undefined, onArm };
  const recordOf = (arm: Arm): ArmRecord => new ArmRecord(arm);
  const heads = sides.map(({ head }) => recordOf(head));
  const paces = await calibrateAll(
    site,
    heads.map((record) => ({ records: [record] as const, cells })),
  );
  const failed = heads.flatMap((record, index) => {
    const base = sides[index]?.base as Arm;
    const lost = cells.filter((cell) => !hasPace(paces, record.arm, cell));
    return lost.length === 0 ? [] : [{ record, base: recordOf(base), lost }];
  });
  const tried = failed.flatMap(({ base, record, lost }) => {
    const failing = lost.filter((cell) => record.failures.has(cell));
    return failing.length === 0 ? [] : [{ records: [base] as const, cells: failing }];
  });
  const basePaces = await calibrateAll(site, tried);
  const missing = failed.flatMap(({ record, base, lost }) =>
    lost.map((cell): GateRow => {
      const works = hasPace(basePaces, base.arm, cell);
      const why = record.impossible.get(cell) ?? record.failures.get(cell) ?? record.shortages.get(cell);
      const reason = `head: ${why ?? "it could not be calibrated"}`;
      return {
        cell: gateCell(record.arm, cell),
        metric: "p50",
        outcome: works ? "broken" : "missing",
        reason,
        notes: [],
      };
    }),
  );
  return { paces, missing };
}

function hasPace(groups: readonly GroupPace[], arm: Arm, cell: Cell): boolean {
  return groups.some(({ arms }) => arms.some((one) => one.arm === arm && one.paces.some((pace) => pace.cell === cell)));
}

function planned(paces: readonly GroupPace[], { sides, pairs, messages }: GateRequest): PairedArm[] {
  const plan = planRun(paces, {
    effort: "default",
    rounds: { least: pairs, most: pairs },
    leftMs: Number.POSITIVE_INFINITY,
    extraMs: 0,
    messages,
  });
  return plan.groups.flatMap(({ arms: heads, plannedMs }) =>
    heads.map((head): PairedArm => {
      const { base } = sides.find((side) => side.head === head.arm) as Sides;
      return { head, base, plannedMs };
    }),
  );
}

/** Returns a ledger for each cell, with what is gated of it. Names each p99 that cannot be told here. */
async function ledgersOf(arms: readonly PairedArm[], request: GateRequest): Promise<Ledger[]> {
  const { metrics, limitsOf, acceptedOf, pairs } = request;
  const named = arms.flatMap((arm) =>
    arm.head.cells.map(({ cell, messages }) => {
      const name = gateCell(arm.head.arm, cell);
      return { arm, cell, messages, name, gatedMetrics: gatedOf(name, request) };
    }),
  );
  const tails = named.filter(({ gatedMetrics }) => gatedMetrics.includes("p99"));
  const canaries = await canariesOf(new Set(tails.map(({ name }) => name.placement)));
  const untold = new Map<string, string[]>();
  const ledgers = named.map(({ arm, cell, messages, name, gatedMetrics }) => {
    const gated = gatedMetrics.map((metric): Gated => {
      const obstacle = metric === "p99" ? tailObstacle(canaries.get(name.placement), { messages, pairs }) : undefined;
      if (obstacle !== undefined) untold.set(obstacle, [...(untold.get(obstacle) ?? []), nameOf(name)]);
      const isExtra = metric === "p99" && metrics?.includes("p99") !== true;
      const accepted = acceptedOf(name, metric);
      return {
        ...{ metric, isExtra, ...limitsOf(name, metric) },
        ...(accepted === undefined ? {} : { accepted }),
        ...(obstacle === undefined ? {} : { untold: obstacle }),
      };
    });
    return new Ledger(arm, cell, name, gated);
  });
  for (const [reason, cells] of untold) note(`p99 cannot be told here for ${counted(cells.length, "cell")}: ${reason}`);
  return ledgers;
}

/** Returns what is gated of a cell: p99 also where a budget is one of p99, which the canary must allow. */
function gatedOf(cell: TransportCell, { metrics, budgets }: GateRequest): readonly Metric[] {
  const isBudgeted = budgets.some((budget) => budget.metric === "p99" && isMeant(budget.cell, cell));
  const isTailGated = isBudgeted || (metrics === undefined && cell.placement === "same-cpu");
  const asked = metrics ?? ["p50"];
  return isTailGated && !asked.includes("p99") ? [...asked, "p99"] : asked;
}

/** Returns the p99 of the canary, ns, for each of these placements where it ran. */
async function canariesOf(placements: ReadonlySet<Placement>): Promise<Map<Placement, number>> {
  const controls = new Controls();
  const found = new Map<Placement, number>();
  try {
    for (const placement of placements) {
      const delays: number[] = [];
      for (let burst = 0; burst < CANARY_BURSTS; burst++) {
        const { delaysNs } = await controls.run(placement, false);
        if (delaysNs !== null) delays.push(...delaysNs);
      }
      if (delays.length > 0) found.set(placement, canaryFigures(Float64Array.from(delays).sort()).p99);
    }
  } finally {
    await controls.end();
  }
  return found;
}

type OpenedC = Awaited<ReturnType<typeof PlainC.open>>;

/** Rounds of pairs of transports. */
class Looking implements LookedAt<Ledger> {
  ran = 0;
  most = 0;
  obstacle: string | undefined;
  readonly looks: Looks;
  readonly ledgers: readonly Ledger[];
  readonly #session: Session;
  readonly #request: GateRequest;
  readonly #progress: Progress;
  readonly #arms: readonly PairedArm[];
  readonly #byName: ReadonlyMap<string, Ledger>;
  readonly #endsAtMs: number;
  readonly #plainC: OpenedC;
  readonly #times = new PairTimes();
  readonly #random: () => number;

  constructor(
    session: Session,
    request: GateRequest,
    progress: Progress,
    arms: readonly PairedArm[],
    ledgers: readonly Ledger[],
    endsAtMs: number,
    plainC: OpenedC,
  ) {
    this.#session = session;
    this.#request = request;
    this.#progress = progress;
    this.#arms = arms;
    this.ledgers = ledgers;
    this.#byName = new Map(ledgers.map((ledger) => [nameOf(ledger.name), ledger]));
    const judged = ledgers.reduce((sum, { metrics }) => sum + metrics, 0);
    this.looks = { alpha: request.rule.alpha / Math.max(1, judged), step: request.pairs };
    this.#endsAtMs = endsAtMs;
    this.#plainC = plainC;
    this.#random = randomFrom(request.seed);
  }

  /** @param isPartial true where the gate was interrupted, so that open cells have no verdict */
  found(missing: readonly GateRow[], isPartial: boolean): Found {
    const looks = { ...this.looks, most: this.most };
    const rows = this.ledgers.flatMap((ledger): GateRow[] => {
      if (!isPartial || !ledger.isOpen) return ledger.rows(looks);
      return [{ cell: ledger.name, metric: "p50", outcome: "interrupted", notes: [] }];
    });
    const pairMs = this.#roundMs((ledger) => ledger.isUndecided);
    return {
      rows: [...missing, ...rows],
      pairs: this.ledgers.map(({ name, pairs }) => ({ cell: name, pairs })),
      ...(this.ledgers.length === 0 ? {} : { looks }),
      ...(pairMs === 0 ? {} : { pairMs }),
      ...(this.ran === 0 ? {} : { roundMs: this.#roundMs(() => true) }),
      ...(this.#plainC === undefined
        ? {}
        : { cBaseline: this.#plainC instanceof PlainC ? this.#plainC.record : this.#plainC }),
    };
  }

  #open(): Ledger[] {
    return this.ledgers.filter(({ isOpen }) => isOpen);
  }

  affordable(wanted: (ledger: Ledger) => boolean): number {
    return pairsIn(this.#endsAtMs - performance.now(), this.#roundMs(wanted));
  }

  /** Predicts the time of one more pair of each cell that is wanted. */
  #roundMs(wanted: (ledger: Ledger) => boolean): number {
    const pairsMs = this.#arms.reduce((sum, arm) => sum + this.#times.pairMs(arm, this.#cellsOf(arm, wanted)), 0);
    return pairsMs === 0 || !(this.#plainC instanceof PlainC) ? pairsMs : pairsMs + this.#plainC.roundMs;
  }

  #cellsOf(arm: PairedArm, wanted: (ledger: Ledger) => boolean): Cell[] {
    return arm.head.cells.map(({ cell }) => cell).filter((cell) => wanted(this.#ledger(arm, cell)));
  }

  #ledger({ head }: PairedArm, cell: Cell): Ledger {
    return this.#byName.get(nameOf(gateCell(head.arm, cell))) as Ledger;
  }

  async runBlock(look: number, count: number): Promise<boolean> {
    const isOpen = (ledger: Ledger): boolean => this.obstacle === undefined && ledger.isOpen;
    const roundMs = (): number => this.#roundMs(isOpen);
    const busy = this.#arms.filter((arm) => this.#cellsOf(arm, isOpen).length > 0);
    const announce = announcer(look, count, this.#open().length);
    this.#progress.begin(count * busy.length, count * roundMs());
    if (look > 1) announce(0, count * roundMs());
    const startedMs = performance.now();
    const before = this.ran;
    const onRound = (done: number): void => {
      this.ran = before + done;
      this.obstacle ??= this.#request.obstacle?.();
      if (this.obstacle !== undefined) return;
      const restMs = (count - done) * roundMs();
      this.#progress.replan(restMs, (count - done) * busy.length);
      if (done >= ROUNDS_TO_ANNOUNCE && done < count) announce(done, performance.now() - startedMs + restMs);
      if (this.ran === ROUNDS_TO_SEE) this.#announcePower(roundMs());
    };
    await runPairs(
      this.#session.supervisor,
      this.#session.place,
      {
        arms: busy,
        pairs: count,
        wanted: (arm, cell) => isOpen(this.#ledger(arm, cell)),
        random: this.#random,
        beside: () => this.#besides(isOpen),
        stage: `look ${look}, pair`,
        onRound,
        onTrials: (arm, cells, ms) => this.#times.add(arm, cells, ms),
        onPair: (arm, cell, outcome) => this.#ledger(arm, cell).add(this.ran + 1, outcome),
      },
      this.#progress,
    );
    return this.obstacle === undefined;
  }

  /** Returns the runs of plain C that a round needs. */
  #besides(isOpen: (ledger: Ledger) => boolean): (() => Promise<void>)[] {
    if (!(this.#plainC instanceof PlainC)) return [];
    const isCellOpen = (cell: TransportCell): boolean => isOpen(this.#byName.get(nameOf(cell)) as Ledger);
    return this.#plainC.turns(isCellOpen, this.#random).map((run) => () => run(this.ran + 1));
  }

  /** Announces the slowdown that this gate can see, before it is known what it finds. */
  #announcePower(roundMs: number): void {
    const most = Math.max(this.#request.pairs, this.ran + pairsIn(this.#endsAtMs - performance.now(), roundMs));
    const seen = this.#open().flatMap((ledger) => ledger.detectable(this.looks, most) ?? []);
    if (seen.length === 0) return;
    const [least, worst] = [Math.min(...seen), Math.max(...seen)];
    const range = least.toFixed(2) === worst.toFixed(2) ? percent(worst) : `${percent(least)} to ${percent(worst)}`;
    note(`up to ${most} pairs see a slowdown of ${range} here with 80 % power`);
  }
}

/** Announces the time up to a look, and once more whenever it turns out to be another. */
function announcer(look: number, pairs: number, cells: number): (done: number, wholeMs: number) => void {
  const isNews = announcedTime();
  let isFirst = true;
  return (done, wholeMs) => {
    if (!isNews(wholeMs)) return;
    const more = look === 1 ? "" : " more";
    const what = isFirst ? `${pairs}${more} pairs of ${counted(cells, "cell")}` : `after ${done} of ${pairs} pairs`;
    note(`look ${look}: ${what}, about ${secondsText(wholeMs)} in all`);
    isFirst = false;
  };
}
