import { type Change, changesSince } from "../../harness/results/against.ts";
import { duration, oneLine, ratio, ratioRange } from "../../harness/results/format.ts";
import type { Report } from "../../harness/results/model.ts";
import { MODE_LABELS, PLACEMENT_LABELS, rowName, sizeText, variantOf } from "../labels.ts";
import { forTerminal } from "./border.ts";
import { type Column, paint, renderTable, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "", align: "left", shrink: "cut" },
  { title: "cell", align: "left", drop: 1 },
  { title: "before", align: "right" },
  { title: "now", align: "right" },
  { title: "now / before", align: "right" },
  { title: "", align: "left" },
];

/**
 * Returns what changed since an earlier report: the pick, the cells that became slower or faster, and how many did not.
 *
 * @param name file of the earlier report
 */
export function againstText(earlier: Report, later: Report, name: string, options: TerminalOptions = {}): string {
  const [before, now] = [forTerminal(earlier), forTerminal(later)];
  const { isAdjusted, rows, onlyBefore, onlyNow } = changesSince(before, now);
  const changed = rows.filter(({ verdict }) => verdict === "slower" || verdict === "faster");
  const unknown = rows.filter(({ verdict }) => verdict === "unknown").length;
  const head = `Against ${oneLine(name)} of ${before.startedAt.slice(0, 16).replace("T", " ")} UTC`;
  const others = [
    `${rows.length - changed.length - unknown} of ${rows.length} cells: no change shown`,
    ...(unknown > 0 ? [`${unknown} with too few rounds to tell`] : []),
    ...(onlyBefore > 0 ? [`${onlyBefore} measured only then`] : []),
    ...(onlyNow > 0 ? [`${onlyNow} measured only now`] : []),
  ];
  const how = isAdjusted
    ? "Ratios are of costs divided by the control of the same round, so a slower machine is no change."
    : "Not every round has a control, so a machine that became slower or faster looks like a change.";
  const lines = [...notes(before, now), pickChange(before, now), `${others.join("; ")}.`];
  const texts = rows.length === 0 ? [...lines, "No cell is in both reports."] : [...lines, `${how} ${HOW_SURE}`];
  const width = widthLimit(options);
  return [
    paint("bold", head, options),
    ...texts.flatMap((text) => wrap(text, width - 2)).map((line) => `  ${line}`),
    ...(changed.length === 0 ? [] : [renderTable(COLUMNS, changed.toSorted(byRatio).map(rowOf), options)]),
  ].join("\n");
}

const HOW_SURE = "All intervals hold together with 95 %.";

function byRatio(a: Change, b: Change): number {
  return Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio));
}

function rowOf({ cell, before, now, ratio: times, interval, verdict }: Change): { cells: string[] } {
  const parts = [
    cell.benchmark,
    sizeText(cell),
    variantOf(cell),
    MODE_LABELS[cell.mode],
    PLACEMENT_LABELS[cell.placement],
  ];
  const range = interval === null ? "" : ratioRange(interval);
  return {
    cells: [
      `  ${rowName(cell)}`,
      parts.filter((part) => part !== "").join(", "),
      duration(before),
      duration(now),
      `${ratio(times)} ${range}`,
      verdict,
    ],
  };
}

/** Returns what else differs between the runs and weakens the comparison. */
function notes(before: Report, now: Report): string[] {
  const versions = [before, now].map(({ environment: { ipcmark, ffi } }) => `ipcmark ${ipcmark} with ${ffi.binding}`);
  return [
    ...(versions[0] === versions[1] ? [] : [`The instrument differs: ${versions[0]} then, ${versions[1]} now.`]),
    ...(before.complete === false ? ["The earlier run was interrupted."] : []),
    ...(before.duration?.effort === "quick" || now.duration?.effort === "quick"
      ? ["--quick: intervals of short windows are too narrow."]
      : []),
  ];
}

/** Compares the picks of the same question: needs, workload and placement. */
function pickChange({ pick: was, question: then }: Report, { pick: is, question }: Report): string {
  if (was === null || is === null)
    return was === is
      ? "Neither run has a pick."
      : `There was ${was?.transport ?? "no pick"}; now ${is?.transport ?? "there is no pick"}.`;
  if (JSON.stringify([was.workload, then?.needs]) !== JSON.stringify([is.workload, question?.needs]))
    return "The question is another one, so the picks are not compared.";
  if (was.transport === is.transport) return `The pick is still ${is.transport}.`;
  const ties = is.ties.includes(was.transport) ? `, with which ${was.transport} is tied` : "";
  return `The pick was ${was.transport} and is now ${is.transport}${ties}.`;
}
