/** Sentences and columns of a gate, for the terminal, the step summary and JUnit alike. */
import { ABSENT, count, percent, significant } from "../../harness/results/format.ts";
import { wrap } from "../../reports/terminal/table.ts";
import { budgetWords } from "./budgets.ts";
import { nameOf } from "./cells.ts";
import { costText, METRICS } from "./metrics.ts";
import { secondsText } from "./pair-times.ts";
import {
  type BudgetRow,
  exitCodeOf,
  GATE_EXIT,
  type GateRow,
  isMissing,
  isRed,
  isUndecided,
  isUnjudged,
  type Judgement,
  type RowOutcome,
} from "./result.ts";

export const OUTCOME_WORDS: Readonly<Record<RowOutcome, string>> = {
  "not-slower": "not slower",
  regression: "SLOWER",
  broken: "BROKEN",
  undecided: "cannot decide",
  untold: "cannot be told here",
  missing: "DID NOT RUN",
  new: "new",
  gone: "gone",
  interrupted: "interrupted",
};

/** Order of rows for a reader: what needs work first. */
export const WORST_FIRST: readonly RowOutcome[] = [
  "missing",
  "interrupted",
  "broken",
  "regression",
  "undecided",
  "untold",
  "gone",
  "new",
  "not-slower",
];

export function verdictSentence(judgement: Judgement): string {
  switch (exitCodeOf(judgement)) {
    case GATE_EXIT.pass:
      return passSentence(judgement.rows);
    case GATE_EXIT.regression:
      return `regression: ${redParts(judgement).join("; ")}`;
    case GATE_EXIT.undecided:
      return undecidedSentence(judgement);
    default: {
      const red = redParts(judgement);
      const also = red.length === 0 ? "" : `; regression in what did run: ${red.join("; ")}`;
      return `incomplete: ${incompleteWords(judgement)}${also}`;
    }
  }
}

/** Names each cell that is red and each budget that is exceeded. */
function redParts({ rows, budgets, strict }: Judgement): string[] {
  const broken = budgets.filter(({ outcome }) => outcome === "broken");
  const red = rows.filter((row) => isRed(row, strict)).map(redWords);
  return [...red, ...broken.map((row) => `over its budget: ${budgetWords(row)}`)];
}

function incompleteWords({ rows, budgets, baseFailure }: Judgement): string {
  if (baseFailure !== undefined) return baseFailure;
  const missing = rows.filter(isMissing);
  const untold = budgets.filter((row) => isUnjudged(row, rows));
  if (missing.length > 0) return missingWords(missing, cellsOf(rows));
  return untold.length > 0 ? untold.map(budgetWords).join("; ") : "no cell is on both sides, so nothing was compared";
}

/** Names the cells that did not run, and the reason of the first one that has one. */
function missingWords(missing: readonly GateRow[], declared: number): string {
  const cells = cellsOf(missing);
  const first = missing.find(({ reason }) => reason !== undefined);
  const why = first === undefined ? "" : `: ${cells === 1 ? "" : "such as "}${nameOf(first.cell)}: ${first.reason}`;
  return `${cells} of ${count(declared, "declared cell")} did not run${why}`;
}

function redWords({ cell, metric, outcome, evidence, reason }: GateRow): string {
  const name = `${nameOf(cell)}${outcome === "regression" && metric !== "value" ? ` ${metric}` : ""}`;
  if (outcome === "broken") return `${name} is broken: ${reason ?? "it does not work"}`;
  if (evidence === undefined) return `${name} is ${outcome}, and --strict is set`;
  return `${name} is ${percent(evidence.effect.ratio - 1)} slower than the base`;
}

/** Names what was excluded, of each metric: `a slowdown of 20 % or more is excluded in all 8 cells`. */
function passSentence(rows: readonly GateRow[]): string {
  const parts = [...METRICS, "value" as const].flatMap((metric) => {
    const passed = rows.filter((row) => row.metric === metric && row.outcome === "not-slower");
    const first = passed[0]?.limits?.tolerance;
    if (first === undefined) return [];
    const largest = Math.max(first, ...passed.map(({ limits }) => limits?.tolerance ?? 0));
    const worst = Math.max(...passed.map(({ evidence }) => evidence?.excluded ?? Number.NaN)) - 1;
    const name = metric === "p50" || metric === "value" ? "" : `of ${metric} `;
    const isAll = rows.every((row) => row.metric !== metric || row.outcome === "not-slower");
    const cells = passed.length === 1 ? "1 cell" : `${isAll ? "all " : ""}${passed.length} cells`;
    const most = Math.round(largest * 1000) / 10;
    return [`a slowdown ${name}of ${most} % or more is excluded in ${cells} (the worst: ${percent(worst)})`];
  });
  const others = (["untold", "new", "gone"] as const).flatMap((outcome) => {
    const found = rows.filter((row) => row.outcome === outcome);
    const word = outcome === "untold" ? `${found[0]?.metric} cannot be told here` : outcome;
    return found.length === 0 ? [] : [`${word} in ${count(found.length, "cell")}`];
  });
  const accepted = rows.filter((row) => row.accepted !== undefined);
  const known = accepted.length === 0 ? [] : [`${count(accepted.length, "regression")} accepted for now`];
  return `pass: ${[...parts, ...known, ...others].join("; ")}`;
}

function undecidedSentence({ rows, budgets, pairMs }: Judgement): string {
  const open = rows.filter(isUndecided);
  if (open.length === 0) {
    const near = budgets.filter(({ outcome }) => outcome === "undecided");
    return `cannot decide: ${near.map(budgetWords).join("; ")}; the interval contains the budget`;
  }
  const cells = `${cellsOf(open)} of ${count(cellsOf(rows), "cell")}`;
  const needed = open.flatMap(({ needed: pairs }) => pairs ?? []);
  const untoldReason = open.find(({ outcome }) => outcome === "untold")?.reason;
  if (open.some(({ outcome }) => outcome === "untold")) return `cannot decide: ${untoldReason ?? cells}`;
  if (needed.length < open.length || pairMs === undefined)
    return `cannot decide: ${cells} scatter so much that 1000 pairs would not tell; use a quieter machine`;
  const pairs = Math.max(...needed);
  const more = `${count(pairs, "more pair")}, about ${secondsText(pairs * pairMs)}`;
  return `cannot decide: ${cells}; ${more}, would tell (--budget)`;
}

function cellsOf(rows: readonly GateRow[]): number {
  return new Set(rows.map(({ cell }) => nameOf(cell))).size;
}

/** Columns of a row: what the table of the terminal, the step summary and a test case of JUnit have in common. */
export interface Columns {
  readonly cell: string;
  readonly base: string;
  readonly head: string;
  readonly change: string;
  readonly sees: string;
  readonly verdict: string;
  /** Reason, limits and notes. */
  readonly rest: string;
}

export const COLUMN_NAMES: Readonly<Record<keyof Columns, string>> = {
  cell: "cell",
  base: "base",
  head: "head",
  change: "change (95 % interval)",
  sees: "could see",
  verdict: "verdict",
  rest: "",
};

export function columnsOf(row: GateRow): Columns {
  const { cell, metric, base, head, evidence, outcome, reason, detectable, notes, accepted } = row;
  const cost = (value: number | undefined): string => (value === undefined ? ABSENT : figureText(row, value));
  const sees = detectable === undefined || base === undefined ? ABSENT : sizeWords(row, base, detectable);
  const rest = [reason, pairsWords(row), ...notes].filter((part) => part !== undefined);
  const { size, interval } = changeWords(row);
  return {
    cell: nameOf(cell) + (metric === "value" || (evidence === undefined && outcome !== "untold") ? "" : ` ${metric}`),
    base: cost(base),
    head: cost(head),
    change: interval === ABSENT ? size : `${size} (${interval})`,
    sees,
    verdict: accepted === undefined ? OUTCOME_WORDS[outcome] : "slower, accepted",
    rest: rest.join("; "),
  };
}

function pairsWords({ evidence, needed }: GateRow): string | undefined {
  if (evidence === undefined) return undefined;
  const more = needed === undefined ? "" : `, ${needed} more would tell`;
  return `p = ${evidence.p.toPrecision(2)}, ${evidence.pairs} pairs${more}`;
}

/** Formats `+1.2 µs, +6.1 %` and `+2.0 to +9.8 %`: the change and its interval. */
export function changeWords(row: GateRow): { readonly size: string; readonly interval: string } {
  const { base, head, evidence } = row;
  if (evidence === undefined || base === undefined || head === undefined) return { size: ABSENT, interval: ABSENT };
  const { ratio, interval } = evidence.effect;
  const size = sizeWords(row, base, ratio - 1);
  if (interval === undefined) return { size, interval: ABSENT };
  const [low, high] = interval.map((bound) => signed(bound - 1));
  return { size, interval: `${low} to ${high} %` };
}

/** Formats a slowdown in the unit of the row and in percent; in percent alone where more is better. */
function sizeWords(row: GateRow, base: number, share: number): string {
  const shareText = `${signed(share)} %`;
  if (row.metric === "throughput" || ("name" in row.cell && !row.cell.lower)) return shareText;
  return `${share < 0 ? "-" : "+"}${figureText(row, Math.abs(base * share))}, ${shareText}`;
}

function figureText({ cell, metric }: GateRow, figure: number): string {
  if (metric !== "value") return costText(metric, figure);
  const unit = "name" in cell ? (cell.unit ?? "") : "";
  return `${significant(figure)} ${unit}`.trimEnd();
}

function signed(share: number): string {
  return `${share < 0 ? "-" : "+"}${Math.abs(share * 100).toFixed(1)}`;
}

/** Widest line of a table in a terminal. */
const MOST_COLUMNS = 100;
/** Widest name of a cell in such a line. A longer one has a line of its own. */
const MOST_NAME = 40;
const INDENT = "    ";

/** Writes the rows as a table for a terminal: figures and verdict, and below them what weakens or explains them. */
export function tableOf(rows: readonly GateRow[]): string {
  const lines = rows.map((row) => ({ columns: columnsOf(row), size: changeWords(row).size, below: belowWords(row) }));
  const heads = [{ columns: COLUMN_NAMES, size: "change", below: "" }, ...lines] as const;
  const figures = heads.map(({ columns: { base, head }, size }) => [base, head, size] as const);
  const wide = [0, 1, 2].map((index) => Math.max(...figures.map((line) => (line[index] as string).length)));
  const nameWide = Math.min(MOST_NAME, Math.max(...heads.map(({ columns }) => columns.cell.length)));
  return heads
    .flatMap(({ columns: { cell, verdict }, below }, index) => {
      const cells = (figures[index] as readonly string[]).map((text, column) => text.padEnd(wide[column] as number));
      const name = cell.length > nameWide ? [cell, "".padEnd(nameWide)] : [cell.padEnd(nameWide)];
      const first = [...name.slice(0, -1), [name.at(-1), ...cells, verdict].join("  ")];
      const rest = below === "" ? [] : wrap(below, MOST_COLUMNS - INDENT.length).map((line) => INDENT + line);
      return [...first, ...rest];
    })
    .join("\n");
}

/** Returns what the second line of a row has: the interval, what could be seen, the evidence, reasons and notes. */
function belowWords(row: GateRow): string {
  const { sees, rest } = columnsOf(row);
  const { interval } = changeWords(row);
  const range = interval === ABSENT ? [] : [`${interval}, 95 % interval`];
  return [...range, ...(sees === ABSENT ? [] : [`could see ${sees}`]), ...(rest === "" ? [] : [rest])].join("; ");
}

/** Writes the results of budgets for a terminal. */
export function budgetLines(rows: readonly BudgetRow[]): string[] {
  return rows.flatMap((row) => {
    const [first = "", ...more] = wrap(budgetLine(row), MOST_COLUMNS - INDENT.length);
    return [first, ...more.map((line) => INDENT + line)];
  });
}

/** Writes the result of a budget in one line. */
export function budgetLine(row: BudgetRow): string {
  const words = { kept: "kept", broken: "BROKEN", undecided: "undecided", untold: "CANNOT BE JUDGED" };
  return `budget ${words[row.outcome]}: ${budgetWords(row)}`;
}
