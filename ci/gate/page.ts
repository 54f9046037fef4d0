/** Page of a stored gate, as plain data: its verdict is worked out again from the pairs. */
import { ABSENT, count, duration, percent, significant } from "../../harness/results/format.ts";
import { median } from "../../harness/results/quantiles.ts";
import type { GatePage, GatePageRow } from "../../reports/html/gate.ts";
import { nameOf, rowName } from "./cells.ts";
import { costsOf, differencesOf } from "./judged-row.ts";
import { type Reanalysis, reanalysed } from "./reanalysis.ts";
import { type GateResult, type GateRow, isMeasured, isRed } from "./result.ts";
import { evidenceOf } from "./verdict.ts";
import { budgetLine, changeWords, columnsOf, verdictSentence, WORST_FIRST } from "./words.ts";

export interface StoredGate {
  readonly page: GatePage;
  readonly found: Reanalysis;
}

export function storedGate(result: GateResult): StoredGate {
  const found = reanalysed(result);
  const { complete, environment, startedAt, warnings, loaded } = result;
  const after = Math.round(result.durationMs / 1000);
  const sentence = complete ? verdictSentence(found) : `interrupted after ${after} s: partial, no verdict`;
  const rows = complete ? found.rows : found.rows.map((row) => partialRow(row, result));
  const page = {
    environment,
    startedAt,
    warnings,
    sentence,
    notices: noticesOf(found),
    rows: rows.toSorted((a, b) => rankOf(a) - rankOf(b)).map((row) => pageRow(row, result)),
    budgets: found.budgets.map(budgetLine),
    facts: factsOf(result),
    loaded:
      loaded === undefined
        ? []
        : [
            ["Loaded by the base", loaded.base],
            ["Loaded by the head", loaded.head],
            ["Loaded by the harness, the same on both sides", loaded.harness],
          ],
    ipcmark: environment.ipcmark ?? "",
  } satisfies GatePage;
  return { page, found };
}

function noticesOf({ differences, obstacle }: Reanalysis): string[] {
  const shown = differences.slice(0, MOST_DIFFERENCES);
  const more = differences.length - shown.length;
  return [
    ...(obstacle === undefined ? [] : [`The verdict is the stored one: ${obstacle}.`]),
    ...(shown.length === 0
      ? []
      : ["The file was changed, or another version of ipcmark wrote it: what is shown follows from its pairs."]),
    ...shown,
    ...(more > 0 ? [`and ${count(more, "further difference")}`] : []),
  ];
}

/** Largest number of differences that are listed. */
const MOST_DIFFERENCES = 20;

/** Gives a row that was still open when the gate was interrupted the change that its pairs show so far. */
function partialRow(row: GateRow, { pairs }: GateResult): GateRow {
  const found = pairs.find(({ cell }) => nameOf(cell) === nameOf(row.cell));
  if (row.outcome !== "interrupted" || found === undefined) return row;
  const costs = isMeasured(found) ? costsOf(found.pairs, "p50") : found.pairs;
  const evidence = evidenceOf(differencesOf(costs, row.cell), 1);
  if (Number.isNaN(evidence.effect.ratio)) return row;
  const typical = (side: "base" | "head"): number => median(costs.map((each) => each[side]));
  return { ...row, evidence, base: typical("base"), head: typical("head") };
}

/** Returns the place of a row: what needs work first, and last what nobody asked for and cannot be told. */
function rankOf({ outcome, isExtra }: GateRow): number {
  return outcome === "untold" && isExtra ? WORST_FIRST.length : WORST_FIRST.indexOf(outcome);
}

function pageRow(row: GateRow, { strict }: GateResult): GatePageRow {
  const { cell, metric, outcome, evidence, limits, reason, accepted } = row;
  const columns = columnsOf(row);
  const { size, interval } = changeWords(row);
  const hasVerdict = evidence !== undefined && outcome !== "interrupted";
  const verdict = columns.verdict.toLowerCase();
  const isGood = outcome === "not-slower" || accepted !== undefined;
  const range = evidence?.effect.interval;
  const change = evidence === undefined ? undefined : size.split(", ").at(-1);
  return {
    name: rowName(row),
    cell: nameOf(cell),
    metric: metric === "value" ? "" : metric,
    base: columns.base,
    head: columns.head,
    change: size,
    interval,
    sees: columns.sees,
    pairs: evidence === undefined ? ABSENT : String(evidence.pairs),
    verdict,
    reason: evidence === undefined ? (reason ?? "") : "",
    notes: [...row.notes, ...(hasVerdict && row.needed !== undefined ? [`${row.needed} more pairs would tell`] : [])],
    value: change === undefined ? verdict : interval === ABSENT ? change : `${change} (${interval})`,
    tone: isRed(row, strict) ? "bad" : isGood ? "good" : "open",
    ...(evidence === undefined ? {} : { estimate: evidence.effect.ratio - 1 }),
    ...(range === undefined ? {} : { range: [range[0] - 1, range[1] - 1] as const }),
    ...(hasVerdict && evidence.excluded !== undefined ? { bound: evidence.excluded - 1 } : {}),
    ...(limits === undefined ? {} : { tolerance: limits.tolerance }),
  };
}

const OWN_LIMITS = "; rows may have limits of their own";

function factsOf({
  base,
  commits,
  dirty,
  seed,
  rule,
  durationMs,
  looks,
  strict,
  pairs,
}: GateResult): GatePage["facts"] {
  const levels = looks && [
    `${looks.step} pairs between two looks`,
    ...(looks.most === 0 ? [] : [`up to ${looks.most} pairs`]),
    `error level ${significant(looks.alpha)} per row`,
  ];
  const valid = pairs.reduce((sum, cell) => sum + cell.pairs.filter((pair) => !("reason" in pair)).length, 0);
  const all = pairs.reduce((sum, cell) => sum + cell.pairs.length, 0);
  return [
    ["Base", base],
    ["Commit of the base", commits.base ?? "no commit"],
    ["Commit of the head", `${commits.head ?? "no commit"}${dirty ? ", with changes that are not committed" : ""}`],
    [
      "Rule",
      `a regression is at least ${percent(rule.minEffect)}, a pass excludes ${percent(rule.tolerance)}${OWN_LIMITS}`,
    ],
    ["Looks", levels?.join(", ") ?? ""],
    ["Pairs", all === valid ? String(all) : `${valid} of ${all} valid`],
    ["Cells of one side only", strict ? "red (--strict)" : "not red"],
    ["Seed", String(seed)],
    ["Length of the run", duration(durationMs * 1e6)],
  ];
}
