/** Budgets: limits of the head alone, absolute or relative to something else in the same rounds. */
import { duration, significant } from "../../harness/results/format.ts";
import { medianInterval } from "../../harness/results/intervals.ts";
import type { Interval } from "../../harness/results/model.ts";
import { median } from "../../harness/results/quantiles.ts";
import { type CommandCell, isMeant, nameOf, rowName, type TransportCell } from "./cells.ts";
import { costOf, costText, type Metric, TIMES_NS } from "./metrics.ts";
import { isPlainCOf, PLAIN_C } from "./plain-c.ts";
import {
  type BudgetRow,
  type CRecord,
  type CRound,
  type GateResult,
  type GateRow,
  isMeasured,
  type MeasuredCell,
  type Most,
  type PrintedValue,
} from "./result.ts";
import { SignedRanks } from "./signed-rank.ts";
import { effectOf } from "./verdict.ts";

export interface Budget {
  readonly cell: string;
  readonly metric: Metric | "value";
  readonly most: Most;
}

/** Returns the cells that a budget compares with plain C. */
export function comparedWithC(budgets: readonly Budget[], cells: readonly TransportCell[]): TransportCell[] {
  const names = budgets.flatMap(({ cell, most }) => ("of" in most && most.of === PLAIN_C ? [cell] : []));
  return cells.filter((cell) => names.some((name) => isMeant(name, cell)));
}

/** Cell, metric and limit of a row. */
type BudgetOf = Pick<BudgetRow, "cell" | "metric" | "most">;
type Verdict = Pick<Judged, "outcome" | "found" | "interval"> | Pick<Untold, "outcome" | "reason">;
type Judged = Extract<BudgetRow, { found: number }>;
type Untold = Extract<BudgetRow, { reason: string }>;
/** Rows, and the figures that budgets are judged by. */
type Figures = Pick<GateResult, "rows" | "pairs" | "cBaseline">;

/** Judges each budget on each cell that it means: broken or kept where the 95 % interval lies on one side of it. */
export function judgeBudgets(budgets: readonly Budget[], figures: Figures): BudgetRow[] {
  return budgets.flatMap(({ cell: name, metric, most }) =>
    meantBy(name, metric, figures).map((cell) => {
      const atMost = "ns" in most && metric !== "value" ? costText(metric, most.ns) : mostText(most);
      const isAbsolute = !("of" in most);
      return { cell, metric, atMost, isAbsolute, most, ...judgeBudget({ cell, metric, most }, figures) };
    }),
  );
}

/** Returns the cells that a name means, those that were not measured too; where there is none, the name itself. */
function meantBy(name: string, metric: Budget["metric"], { rows, pairs }: Figures): BudgetRow["cell"][] {
  const cells = new Map([...pairs, ...rows].map(({ cell }) => [nameOf(cell), cell]));
  const meant = [...cells.values()].filter((cell) => isMeant(name, cell));
  const found = meant.filter((cell) => (metric === "value" ? "name" in cell : "transport" in cell));
  return found.length > 0 ? (found as BudgetRow["cell"][]) : [{ name, unit: undefined, lower: true }];
}

/** Judges a budget on one cell. */
export function judgeBudget({ cell, metric, most }: BudgetOf, figures: Figures): Verdict {
  const { rows, pairs, cBaseline } = figures;
  if (metric === "value") return "name" in cell ? ofValue(cell, most, pairs.filter(isPrinted)) : noSuchCell(rows);
  if ("name" in cell || "amount" in most) return noSuchCell(rows);
  const measured = pairs.filter(isMeasured);
  const costs = headCosts(pairsOf(cell, measured), metric);
  const reason = costs.size === 0 ? unmeasured(cell, metric, rows) : untoldTail(cell, metric, rows);
  if (reason !== undefined) return untold(reason);
  if ("ns" in most) return judged(absolute(costs) as Found, most.ns);
  if (most.of === PLAIN_C) return ofPlainC({ cell, metric, most }, costs, cBaseline);
  const other = { ...cell, transport: most.of };
  const found = relative(costs, headCosts(pairsOf(other, measured), metric));
  return found === undefined ? untold(unmeasured(other, metric, rows)) : judged(found, most.factor);
}

function noSuchCell(rows: readonly GateRow[]): Verdict {
  const module = rows.flatMap(({ cell }) => ("module" in cell ? cell.module : []))[0];
  if (module !== undefined) return untold(`no cell of this name was measured, and ${module} did not load`);
  return untold("this gate has no such cell; name another, or take the budget out of gate.budgets");
}

/** Returns why a metric of a cell has no figure. */
function unmeasured(cell: TransportCell, metric: Metric, rows: readonly GateRow[]): string {
  const row = rows.find((each) => nameOf(each.cell) === nameOf(cell));
  if (row === undefined) return `this gate has no ${nameOf(cell)} to compare with; choose its --mode and --placement`;
  if (row.outcome === "new" || row.outcome === "gone")
    return `nothing was measured, since ${row.reason ?? `the cell is ${row.outcome}`}`;
  const reason = row.reason ?? (row.evidence === undefined ? undefined : `this machine does not report its ${metric}`);
  return `${nameOf(cell)} was not measured${reason === undefined ? "" : `: ${reason}`}`;
}

/** Returns why a p99 is not that of the code, as its row has it; undefined where it is, and for other metrics. */
function untoldTail(cell: TransportCell, metric: Metric, rows: readonly GateRow[]): string | undefined {
  const row = rows.find((each) => each.metric === metric && nameOf(each.cell) === nameOf(cell));
  return metric === "p99" && row?.outcome === "untold" && row.evidence === undefined ? row.reason : undefined;
}

function isPrinted(each: GateResult["pairs"][number]): each is PrintedValue {
  return "name" in each.cell;
}

function pairsOf(cell: TransportCell, measured: readonly MeasuredCell[]): MeasuredCell["pairs"] {
  return measured.find((each) => nameOf(each.cell) === nameOf(cell))?.pairs ?? [];
}

interface OfPlainC {
  readonly cell: TransportCell;
  readonly metric: Metric;
  readonly most: Extract<Most, { factor: number }>;
}

function ofPlainC({ cell, metric, most }: OfPlainC, costs: Costs, cBaseline: CRecord | undefined): Verdict {
  if (cBaseline === undefined) return untold("plain C did not run beside it; run the gate again");
  const ofC = "reason" in cBaseline ? undefined : cBaseline.cells.find((each) => isPlainCOf(each.cell, cell));
  const reason = "reason" in cBaseline ? cBaseline.reason : ofC?.failed;
  if (reason !== undefined) return untold(`this machine cannot tell: ${reason}`);
  const found = relative(costs, costsOfC(ofC?.rounds ?? [], metric));
  if (found === undefined) return untold("this run cannot tell: it has no round with plain C; run it again");
  return judged(found, most.factor);
}

function untold(reason: string): Verdict {
  return { outcome: "untold", reason };
}

/** Costs of the head, or of what it is compared with, by round. */
type Costs = ReadonlyMap<number, number>;

function headCosts(pairs: MeasuredCell["pairs"], metric: Metric): Costs {
  return new Map(
    pairs.flatMap((pair) => {
      const cost = "reason" in pair ? undefined : costOf(pair.head, metric);
      return cost === undefined ? [] : [[pair.round, cost] as const];
    }),
  );
}

function costsOfC(rounds: readonly CRound[], metric: Metric): Costs {
  return new Map(
    rounds.flatMap(({ round, p99, ...figures }) => {
      const cost = costOf({ ...figures, p99: p99 ?? Number.NaN, cpuNs: null, messages: 0 }, metric);
      return cost === undefined ? [] : [[round, cost] as const];
    }),
  );
}

function ofValue({ name }: CommandCell, most: Most, printed: readonly PrintedValue[]): Verdict {
  const printedAs = (wanted: string): PrintedValue | undefined => printed.find(({ cell }) => cell.name === wanted);
  const unknown = (wanted: string): Verdict => {
    const names = printed.map(({ cell: other }) => other.name).join(", ");
    return untold(`the command prints no value "${wanted}"; it prints ${names} (metric p50 is for transports)`);
  };
  if (printed.length === 0) return untold("the command printed no value that could be compared");
  const value = printedAs(name);
  if (value === undefined) return unknown(name);
  const { unit, lower } = value.cell;
  if (!lower) return untold("more of this value is better, and a budget is an upper limit; use gate.limits");
  const costs = costsOf(value);
  if ("of" in most) {
    const other = printedAs(most.of);
    if (other === undefined) return unknown(most.of);
    if (other.cell.unit !== unit) return untold(`"${name}" and "${most.of}" have different units`);
    return judged(relative(costs, costsOf(other)), most.factor);
  }
  const limit = "amount" in most ? amountIn(most, unit) : undefined;
  if (limit === undefined) return untold(`the value is in ${unit ?? "no unit"}; write the budget in the same`);
  return judged(absolute(costs), limit);
}

function costsOf({ pairs }: PrintedValue): Costs {
  return new Map(pairs.map(({ round, head }) => [round, head]));
}

/** Converts what was written to the unit of a value; undefined where it cannot be. */
function amountIn({ amount, unit }: Extract<Most, { amount: number }>, wanted: string | undefined): number | undefined {
  if (unit === undefined || unit === wanted) return amount;
  const [from, to] = [TIMES_NS[unit], TIMES_NS[wanted ?? ""]];
  return from === undefined || to === undefined ? undefined : (amount * from) / to;
}

function mostText(most: Most): string {
  if ("ns" in most) return duration(most.ns);
  if ("of" in most) return `${most.factor} x ${most.of}`;
  return `${most.amount} ${most.unit ?? ""}`.trimEnd();
}

type Found = Pick<Judged, "found" | "interval">;

function judged(found: Found | undefined, limit: number): Verdict {
  if (found === undefined) return untold("no pair of runs has it on both sides");
  const { interval } = found;
  if (interval !== undefined && interval[0] > limit) return { outcome: "broken", ...found };
  const isKept = interval !== undefined && interval[1] <= limit;
  return { outcome: isKept ? "kept" : "undecided", ...found };
}

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
  const { ratio, interval } = effectOf(new SignedRanks(ratios));
  return withInterval(ratio, interval);
}

function withInterval(found: number, interval: Interval | undefined): Found {
  return interval === undefined ? { found } : { found, interval };
}

/** Formats a row: `unix (event, same-cpu) 64 B p50: 84.2 µs, budget 80.0 µs (bound to this machine)`. */
export function budgetWords(row: BudgetRow): string {
  const { cell, atMost, isAbsolute } = row;
  const name = rowName(row);
  const bound = isAbsolute ? ", which holds for this machine only" : "";
  if (row.outcome === "untold") return `${name}: budget ${atMost}: ${row.reason}`;
  const unit = "name" in cell ? ` ${cell.unit ?? ""}`.trimEnd() : undefined;
  const figure = (value: number): string => (unit === undefined ? duration(value) : `${significant(value)}${unit}`);
  const text = (value: number): string => (isAbsolute ? figure(value) : `${value.toFixed(2)} x`);
  const range = row.interval === undefined ? "" : ` (${text(row.interval[0])} to ${text(row.interval[1])})`;
  return `${name}: ${text(row.found)}${range}, budget ${atMost}${bound}`;
}
