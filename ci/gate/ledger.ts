import type { Cell } from "../../harness/coordinator/arm.ts";
import type { PairedArm, PairOutcome } from "../../harness/coordinator/pairs.ts";
import type { TransportCell } from "./cells.ts";
import { costsOf, differencesOf, failureOf, invalidOf, judgedRow, outcomeOfInvalid } from "./judged-row.ts";
import type { LookLedger, Looks } from "./looks.ts";
import type { Metric } from "./metrics.ts";
import type { GateRow, PairRecord, RecordedLooks } from "./result.ts";
import {
  detectable,
  type Evidence,
  evidenceOf,
  isHint,
  judge,
  type Limits,
  type State,
  suspiciouslyFast,
} from "./verdict.ts";

/** Metric of a cell that the gate judges. */
export interface Gated extends Limits {
  readonly metric: Metric;
  /** True for a p99 that nobody asked for: it can be red, but is never looked at for its own sake. */
  readonly isExtra: boolean;
  /** Slowdown up to which a regression is acknowledged today, such as 0.15; absent where none is. */
  readonly accepted?: number;
  /** Reason why it cannot be told here, known before the run. */
  readonly untold?: string;
}

/** Largest p at which a p99 that nobody asked for gets pairs of its own. That of the other metrics is larger. */
const EXTRA_HINT_P = 0.05;

interface Judged {
  readonly gated: Gated;
  state: State;
  evidence?: Evidence;
}

/** Pairs of one cell, with the state of each of its metrics. */
export class Ledger implements LookLedger {
  readonly arm: PairedArm;
  readonly cell: Cell;
  readonly name: TransportCell;
  readonly pairs: PairRecord[] = [];
  readonly #judged: readonly Judged[];
  #looks = 0;
  #hasExtras = true;
  /** Number of pairs at the last look: a look without new ones would spend a share of the error for nothing. */
  #seen = 0;

  constructor(arm: PairedArm, cell: Cell, name: TransportCell, gated: readonly Gated[]) {
    this.arm = arm;
    this.cell = cell;
    this.name = name;
    this.#judged = gated.map((each) => ({ gated: each, state: each.untold === undefined ? "open" : "undecided" }));
  }

  add(round: number, outcome: PairOutcome): void {
    this.pairs.push({ round, ...outcome });
  }

  get isInvalid(): boolean {
    return outcomeOfInvalid(this.pairs) !== undefined;
  }

  get isOpen(): boolean {
    return !this.isInvalid && this.#judged.some((each) => this.#isWanted(each));
  }

  get isRed(): boolean {
    const ended = outcomeOfInvalid(this.pairs);
    return ended === undefined ? this.#judged.some(isRedForSure) : ended === "broken";
  }

  /** Number of metrics that are judged. */
  get metrics(): number {
    return this.#judged.filter(({ gated }) => gated.untold === undefined).length;
  }

  /** True where a metric that was asked for ended without a verdict. */
  get isUndecided(): boolean {
    return this.#judged.some(
      ({ gated, state }) => state === "undecided" && gated.untold === undefined && !gated.isExtra,
    );
  }

  look(looks: Looks, affordable: number): void {
    if (this.pairs.length === this.#seen) return;
    this.#seen = this.pairs.length;
    this.#looks++;
    for (const each of this.#judged) {
      if (each.state !== "open") continue;
      each.evidence = evidenceOf(this.#differences(each.gated.metric), this.#looks);
      each.state = judge(each.evidence, { ...each.gated, ...looks, affordable });
    }
  }

  staysOpen(looks: Looks): boolean {
    if (this.isInvalid) return false;
    return this.#judged.some((each) => {
      if (each.state !== "open") return false;
      const evidence = evidenceOf(this.#differences(each.gated.metric), this.#looks + 1);
      const state = judge(evidence, { ...each.gated, ...looks, affordable: Number.POSITIVE_INFINITY });
      return this.#isWanted({ gated: each.gated, state, evidence });
    });
  }

  endExtras(): void {
    this.#hasExtras = false;
  }

  /** True where a metric gets pairs of its own. */
  #isWanted(judged: Judged): boolean {
    return (this.#hasExtras || !judged.gated.isExtra) && isAskedFor(judged);
  }

  /** Returns the slowdown in p50 that so many pairs find, with the scatter so far. */
  detectable(looks: Looks, most: number): number | undefined {
    const judged = this.#judged[0];
    if (judged === undefined) return undefined;
    const evidence = evidenceOf(this.#differences(judged.gated.metric), 1);
    return detectable(evidence, { ...judged.gated, ...looks }, most);
  }

  #differences(metric: Metric): number[] {
    return differencesOf(costsOf(this.pairs, metric), this.name);
  }

  /** @param looks with the number of pairs that the budget allowed in all */
  rows(looks: RecordedLooks): GateRow[] {
    const [first] = invalidOf(this.pairs);
    const ended = outcomeOfInvalid(this.pairs);
    if (ended !== undefined || this.#looks === 0) {
      const reason = failureOf(this.pairs) ?? "no pair ran";
      return [{ cell: this.name, metric: "p50", outcome: ended ?? "missing", reason, notes: [] }];
    }
    const notes = first === undefined ? [] : [`one pair was invalid: ${first.reason}`];
    return this.#judged.map((each) => this.#row(each, looks, notes));
  }

  #row({ gated, state, evidence }: Judged, looks: RecordedLooks, notes: readonly string[]): GateRow {
    const { metric, minEffect, tolerance, isExtra } = gated;
    const limits = { minEffect, tolerance };
    const start = { cell: this.name, metric, limits, ...(isExtra ? { isExtra } : {}), notes };
    if (evidence === undefined) return { ...start, outcome: "untold", reason: gated.untold ?? "no look was taken" };
    const isUnfinished = isAskedFor({ gated, state, evidence });
    const why = isUnfinished ? { reason: UNFINISHED } : {};
    const row = judgedRow({ ...start, ...why }, { evidence, state, costs: costsOf(this.pairs, metric) }, looks);
    if (row.evidence === undefined) return row;
    const isSuspicious = suspiciouslyFast(evidence);
    const more = [
      ...(isSuspicious ? ["less than half the time: is all the work still done?"] : []),
      ...(isUnfinished && row.reason === undefined ? [UNFINISHED] : []),
    ];
    return { ...row, notes: [...notes, ...more] };
  }
}

/** Reason of a metric for which the gate took no further look. */
const UNFINISHED = "it was not looked at to the end, since the gate is red without it";

/** True for a metric that was asked for and is red, more than is acknowledged. */
function isRedForSure({ gated: { isExtra, accepted }, state, evidence }: Judged): boolean {
  if (isExtra || state !== "regression" || evidence === undefined) return false;
  return accepted === undefined || evidence.effect.ratio - 1 > accepted;
}

/** True where a metric is worth pairs of its own: a p99 that nobody asked for is so only while it looks slower. */
function isAskedFor({ gated, state, evidence }: Judged): boolean {
  return state === "open" && (!gated.isExtra || (evidence !== undefined && isHint(evidence, gated, EXTRA_HINT_P)));
}
