/** Row of a judged metric, made of the costs of both sides: in the gate, and again from the pairs that it stored. */
import { count } from "../../harness/results/format.ts";
import { median } from "../../harness/results/quantiles.ts";
import type { GateCell } from "./cells.ts";
import { costOf, type Metric } from "./metrics.ts";
import type { GateRow, PairRecord, RecordedLooks, ValuePair } from "./result.ts";
import { detectable, type Evidence, judge, pairsToDecide, type State } from "./verdict.ts";

/** Figures of one valid pair, as a reader is shown them; NaN where a side was not measured. */
interface Costs {
  readonly base: number;
  readonly head: number;
}

export function costsOf(pairs: readonly PairRecord[], metric: Metric): Costs[] {
  return pairs.flatMap((pair) => {
    if ("reason" in pair) return [];
    return [{ base: costOf(pair.base, metric) ?? Number.NaN, head: costOf(pair.head, metric) ?? Number.NaN }];
  });
}

/** Returns log head minus log base of each pair, which is above 0 where the head is worse. */
export function differencesOf(costs: readonly (Costs | ValuePair)[], cell: GateCell): number[] {
  const isLower = !("name" in cell) || cell.lower;
  return costs.map(({ base, head }) => (isLower ? Math.log(head) - Math.log(base) : Math.log(base) - Math.log(head)));
}

/** Number of invalid pairs that end a cell: one may be the machine's. */
const MAX_INVALID = 2;

type InvalidPair = PairRecord & { readonly reason: string; readonly headAlone: boolean };

export function invalidOf(pairs: readonly PairRecord[]): InvalidPair[] {
  return pairs.filter((pair): pair is InvalidPair => "reason" in pair);
}

/** Returns the outcome of a cell that its invalid pairs end; undefined where they do not. */
export function outcomeOfInvalid(pairs: readonly PairRecord[]): "broken" | "missing" | undefined {
  const invalid = invalidOf(pairs);
  if (invalid.length < MAX_INVALID) return undefined;
  return invalid.every(({ headAlone }) => headAlone) ? "broken" : "missing";
}

/** Returns the reasons of the invalid pairs, and how many there are; undefined where there are none. */
export function failureOf(pairs: readonly PairRecord[]): string | undefined {
  const reasons = new Set(invalidOf(pairs).map(({ reason }) => reason));
  if (reasons.size === 0) return undefined;
  const [first, second] = reasons;
  const others = second === undefined ? "" : reasons.size === 2 ? `; ${second}` : `; ${second}; others`;
  return `${first}${others} (${invalidOf(pairs).length} of ${count(pairs.length, "pair")} failed)`;
}

/** Beginning of a row: what does not follow from its pairs. `reason`: why an extra metric has no verdict. */
type Start = Pick<GateRow, "cell" | "metric" | "isExtra" | "notes" | "reason"> & Required<Pick<GateRow, "limits">>;

interface Judged {
  readonly evidence: Evidence;
  readonly state: State;
  /** Pairs so far: at least those of the evidence, which are the first ones. */
  readonly costs: readonly Costs[];
}

/** @param most number of pairs that the budget allowed in all */
export function judgedRow(
  { reason = "its pairs scatter too much", ...start }: Start,
  { evidence, state, costs }: Judged,
  { alpha, step, most }: RecordedLooks,
): GateRow {
  if (Number.isNaN(evidence.effect.ratio))
    return { ...start, outcome: "untold", reason: "it was not measured in every pair" };
  const question = { ...start.limits, alpha, step };
  // An extra metric may still be open: nothing more is looked at.
  const final = state === "open" ? judge(evidence, { ...question, affordable: 0 }) : state;
  const isUndecided = final === "open" || final === "undecided";
  const decided = costs.slice(0, evidence.pairs);
  const [seen, needed] = [detectable(evidence, question, most), pairsToDecide(evidence, question)];
  return {
    ...start,
    outcome: isUndecided ? (start.isExtra ? "untold" : "undecided") : final,
    ...(isUndecided && start.isExtra ? { reason } : {}),
    evidence,
    base: median(decided.map(({ base }) => base)),
    head: median(decided.map(({ head }) => head)),
    ...(seen === undefined ? {} : { detectable: seen }),
    ...(isUndecided && needed !== undefined ? { needed } : {}),
  };
}
