/** Budgets: limits of the head alone, in time or relative to another transport of the same run. */
import { duration } from "../../harness/results/format.ts";
import { medianInterval } from "../../harness/results/intervals.ts";
import type { Interval } from "../../harness/results/model.ts";
import { median } from "../../harness/results/quantiles.ts";
import { isMeant, nameOf, type TransportCell } from "./cells.ts";
import { costOf, costText, type Metric } from "./metrics.ts";
import type { BudgetRow, GateResult, MeasuredCell, PairRecord } from "./result.ts";
import { SignedRanks } from "./signed-rank.ts";

/** Largest cost of a cell: in ns on this machine, or as a multiple of another transport in the same rounds. */
export type Most = BudgetRow["most"];

export interface Budget {
  readonly cell: string;
  readonly metric: Metric;
  readonly most: Most;
}

type Measured = readonly MeasuredCell[];

const CONFIDENCE = 0.95;

/** Judges each budget on each cell that it means: broken or kept where the 95 % interval lies on one side of it. */
export function judgeBudgets(budgets: readonly Budget[], all: GateResult["pairs"]): BudgetRow[] {
  return budgets.flatMap(({ cell: name, metric, most }) =>
    all.flatMap(({ cell }) => {
      if (!("transport" in cell) || !isMeant(name, cell)) return [];
      const found = judgeBudget({ cell, metric, most }, all);
      if (found === undefined) return [];
      const atMost = "ns" in most ? costText(metric, most.ns) : `${most.factor} x ${most.of}`;
      return [{ cell, metric, atMost, isAbsolute: "ns" in most, most, ...found }];
    }),
  );
}

/** Judges a budget on one cell; undefined where it was not measured. */
export function judgeBudget(
  { cell, metric, most }: Pick<BudgetRow, "metric" | "most"> & { readonly cell: TransportCell },
  all: GateResult["pairs"],
): Pick<BudgetRow, "outcome" | "found" | "interval"> | undefined {
  const measured = all.filter((each): each is MeasuredCell => "transport" in each.cell);
  const costs = headCosts(pairsOf(cell.transport, cell, measured), metric);
  const found = "ns" in most ? absolute(costs) : relative(costs, headCosts(pairsOf(most.of, cell, measured), metric));
  return found && { outcome: outcomeOf(found.interval, "ns" in most ? most.ns : most.factor), ...found };
}

function outcomeOf(interval: Interval | undefined, limit: number): BudgetRow["outcome"] {
  if (interval === undefined) return "undecided";
  if (interval[0] > limit) return "broken";
  return interval[1] <= limit ? "kept" : "undecided";
}

/** Costs of the head by round. */
type Costs = ReadonlyMap<number, number>;

function headCosts(pairs: readonly PairRecord[], metric: Metric): Costs {
  return new Map(
    pairs.flatMap((pair) => {
      const cost = "reason" in pair ? undefined : costOf(pair.head, metric);
      return cost === undefined ? [] : [[pair.round, cost] as const];
    }),
  );
}

function pairsOf(transport: string, cell: TransportCell, measured: Measured): readonly PairRecord[] {
  const wanted = nameOf({ ...cell, transport });
  return measured.find(({ cell: other }) => nameOf(other) === wanted)?.pairs ?? [];
}

type Found = Pick<BudgetRow, "found" | "interval">;

function absolute(costs: Costs): Found | undefined {
  const values = [...costs.values()];
  return values.length === 0 ? undefined : withInterval(median(values), medianInterval(values));
}

/** Compares within the same rounds, which removes the machine's changes between rounds. */
function relative(costs: Costs, others: Costs): Found | undefined {
  const ratios = [...costs].flatMap(([round, cost]) => {
    const other = others.get(round);
    return other === undefined ? [] : [Math.log(cost / other)];
  });
  if (ratios.length === 0) return undefined;
  const ranks = new SignedRanks(ratios);
  const interval = ranks.interval(CONFIDENCE);
  return withInterval(
    Math.exp(ranks.estimate),
    interval === undefined ? undefined : [Math.exp(interval[0]), Math.exp(interval[1])],
  );
}

function withInterval(found: number, interval: Interval | undefined): Found {
  return interval === undefined ? { found } : { found, interval };
}

/** Formats a row: `unix (event, same-cpu) 64 B p50: 84.2 µs, budget 80.0 µs (bound to this machine)`. */
export function budgetWords({ cell, metric, found, interval, atMost, isAbsolute }: BudgetRow): string {
  const text = (value: number): string => (isAbsolute ? duration(value) : `${value.toFixed(2)} x`);
  const range = interval === undefined ? "" : ` (${text(interval[0])} to ${text(interval[1])})`;
  const bound = isAbsolute ? ", which holds for this machine only" : "";
  return `${nameOf(cell)} ${metric}: ${text(found)}${range}, budget ${atMost}${bound}`;
}
