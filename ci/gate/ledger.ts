import type { Cell } from "../../harness/coordinator/arm.ts";
import type { PairedArm, PairOutcome } from "../../harness/coordinator/pairs.ts";
import { median } from "../../harness/results/quantiles.ts";
import type { TransportCell } from "./cells.ts";
import { costOf, type Metric } from "./metrics.ts";
import type { GateRow, PairRecord } from "./result.ts";
import {
  detectable,
  type Evidence,
  evidenceOf,
  isHint,
  judge,
  type Limits,
  pairsToDecide,
  type Question,
  type State,
  suspiciouslyFast,
} from "./verdict.ts";

/** Metric of a cell that the gate judges. */
export interface Gated extends Limits {
  readonly metric: Metric;
  /** True for a p99 that nobody asked for: it can be red, but is never looked at for its own sake. */
  readonly isExtra: boolean;
  /** Reason why it cannot be told here, known before the run. */
  readonly untold?: string;
}

/** Largest p with which a p99 that nobody asked for gets pairs of its own: less than the hint of the others. */
const EXTRA_HINT_P = 0.05;
/** Number of invalid pairs that end a cell: one may be the machine's. */
const MAX_INVALID = 2;

interface Judged {
  readonly gated: Gated;
  state: State;
  evidence?: Evidence;
}

/** Levels and sizes that all cells of a gate share. */
export type Looks = Pick<Question, "alpha" | "step">;

/** Pairs of one cell, with the state of each of its metrics. */
export class Ledger {
  readonly arm: PairedArm;
  readonly cell: Cell;
  readonly name: TransportCell;
  readonly pairs: PairRecord[] = [];
  readonly #judged: readonly Judged[];
  #looks = 0;
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

  get #invalid(): (PairRecord & { readonly reason: string })[] {
    return this.pairs.filter((pair) => "reason" in pair);
  }

  get isInvalid(): boolean {
    return this.#invalid.length >= MAX_INVALID;
  }

  /** True where more pairs are needed. */
  get isOpen(): boolean {
    return !this.isInvalid && this.#judged.some(isAskedFor);
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

  /** Takes a look at the data. @param affordable further pairs that the budget allows */
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

  /** True where a look now would leave the cell open, if there were time for ever. */
  staysOpen(looks: Looks): boolean {
    if (this.isInvalid) return false;
    return this.#judged.some((each) => {
      if (each.state !== "open") return false;
      const evidence = evidenceOf(this.#differences(each.gated.metric), this.#looks + 1);
      const state = judge(evidence, { ...each.gated, ...looks, affordable: Number.POSITIVE_INFINITY });
      return isAskedFor({ gated: each.gated, state, evidence });
    });
  }

  /** Returns the slowdown in p50 that so many pairs find, with the scatter so far. */
  detectable(looks: Looks, most: number): number | undefined {
    const judged = this.#judged[0];
    if (judged === undefined) return undefined;
    const evidence = evidenceOf(this.#differences(judged.gated.metric), 1);
    return detectable(evidence, { ...judged.gated, ...looks }, most);
  }

  #differences(metric: Metric): number[] {
    return this.pairs.flatMap((pair) => {
      if ("reason" in pair) return [];
      const [base, head] = [costOf(pair.base, metric), costOf(pair.head, metric)];
      return [base === undefined || head === undefined ? Number.NaN : Math.log(head) - Math.log(base)];
    });
  }

  /** @param most number of pairs that the budget allowed in all */
  rows(looks: Looks, most: number): GateRow[] {
    const [first] = this.#invalid;
    const isBroken = this.isInvalid && this.#invalid.every((pair) => "headAlone" in pair && pair.headAlone);
    if (this.isInvalid || this.#looks === 0) {
      const outcome = isBroken ? "broken" : "missing";
      return [{ cell: this.name, metric: "p50", outcome, reason: first?.reason ?? "no pair ran", notes: [] }];
    }
    const notes = first === undefined ? [] : [`one pair was invalid: ${first.reason}`];
    return this.#judged.map((each) => this.#row(each, { looks, most, notes }));
  }

  #row({ gated, state, evidence }: Judged, about: About): GateRow {
    const { metric, minEffect, tolerance, isExtra } = gated;
    const start = { cell: this.name, metric, limits: { minEffect, tolerance }, ...(isExtra ? { isExtra } : {}) };
    if (evidence === undefined) {
      return { ...start, outcome: "untold", reason: gated.untold ?? "no look was taken", notes: about.notes };
    }
    const decided = this.pairs.filter((pair) => !("reason" in pair)).slice(0, evidence.pairs);
    const typical = (side: "base" | "head"): number =>
      median(decided.map((pair) => ("reason" in pair ? Number.NaN : (costOf(pair[side], metric) ?? Number.NaN))));
    const question = { ...gated, ...about.looks };
    const [seen, needed] = [detectable(evidence, question, about.most), pairsToDecide(evidence, question)];
    if (Number.isNaN(evidence.effect.ratio)) {
      return { ...start, outcome: "untold", reason: "it was not measured in every pair", notes: about.notes };
    }
    // An extra metric may still be open: nothing more is looked at.
    const final = state === "open" ? judge(evidence, { ...question, affordable: 0 }) : state;
    const isUndecided = final === "open" || final === "undecided";
    return {
      ...start,
      outcome: isUndecided ? (isExtra ? "untold" : "undecided") : final,
      ...(isUndecided && isExtra ? { reason: "its pairs scatter too much" } : {}),
      evidence,
      base: typical("base"),
      head: typical("head"),
      ...(seen === undefined ? {} : { detectable: seen }),
      ...(isUndecided && needed !== undefined ? { needed } : {}),
      notes: suspiciouslyFast(evidence)
        ? [...about.notes, "less than half the time: is all the work still done?"]
        : about.notes,
    };
  }
}

interface About {
  readonly looks: Looks;
  readonly most: number;
  readonly notes: readonly string[];
}

/** True where a metric is worth pairs of its own: a p99 that nobody asked for is so only while it looks slower. */
function isAskedFor({ gated, state, evidence }: Judged): boolean {
  return state === "open" && (!gated.isExtra || (evidence !== undefined && isHint(evidence, gated, EXTRA_HINT_P)));
}
