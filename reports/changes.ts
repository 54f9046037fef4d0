import type { Change, Changes, ComparedCell } from "../harness/results/changes.ts";
import { count, duration, ratio, ratioRange } from "../harness/results/format.ts";
import { MODE_LABELS, PLACEMENT_LABELS, rowName, sizeText, variantOf } from "./labels.ts";

/** Cell of two runs in words. */
export interface ChangeLine {
  readonly name: string;
  readonly cell: string;
  readonly before: string;
  readonly now: string;
  /** Cost now as a multiple of that before, with its interval. */
  readonly ratio: string;
  /** Paired or not, and what the costs were divided by. */
  readonly pairing: string;
  readonly verdict: string;
}

/** Cell that cannot be compared, in words. */
export interface UncomparedLine extends Pick<ChangeLine, "name" | "cell"> {
  readonly reason: string;
}

/** Changes since an earlier report, in words. */
export interface ChangesText {
  /** Names the earlier run by its time: a page is read elsewhere, where its file means nothing. */
  readonly head: string;
  /** Sentences: the pick, what weakens the comparison, the numbers of cells, how they were compared. */
  readonly sentences: readonly string[];
  /** Cells that became slower or faster, the largest change first. */
  readonly changed: readonly ChangeLine[];
  readonly notToldApart: readonly ChangeLine[];
  readonly notComparable: readonly UncomparedLine[];
}

const VERDICTS: Readonly<Record<ComparedCell["verdict"], string>> = {
  slower: "slower",
  faster: "faster",
  "not-told-apart": "not told apart",
};

const PAIRINGS: Readonly<Record<ComparedCell["pairing"], string>> = {
  unpaired: "unpaired",
  "unpaired-over-control": "unpaired, over the frozen echo",
};

export function changesText({ startedAt, pick, notes, rows }: Changes): ChangesText {
  const compared = rows.filter((row) => row.verdict !== "not-comparable");
  const changed = compared.filter(({ verdict }) => verdict !== "not-told-apart").toSorted(bySize);
  const same = compared.filter(({ verdict }) => verdict === "not-told-apart");
  const others = rows.filter((row) => row.verdict === "not-comparable");
  const numberOf = (verdict: Change["verdict"]): number => rows.filter((row) => row.verdict === verdict).length;
  const counts = [
    `${numberOf("slower")} of ${count(compared.length, "cell")} slower`,
    `${numberOf("faster")} faster`,
    `${same.length} not told apart`,
    ...(others.length > 0 ? [`${others.length} not comparable, since only one run has a figure`] : []),
  ];
  const summary = compared.length === 0 ? "No cell is in both reports." : `${counts.join("; ")}.`;
  return {
    head: `Against the run of ${startedAt.slice(0, 16).replace("T", " ")} UTC`,
    sentences: [pick, ...notes, summary, ...(compared.length === 0 ? [] : howCompared(compared))],
    changed: changed.map(lineOf),
    notToldApart: same.map(lineOf),
    notComparable: others.map((row) => ({ name: rowName(row), cell: cellText(row), reason: row.reason })),
  };
}

function howCompared(rows: readonly ComparedCell[]): string[] {
  const without = rows.filter(({ pairing }) => pairing === "unpaired").length;
  const control = "Times are divided by the frozen echo of their own round, so a slower machine is no change";
  const noControl = "not every round has a frozen echo, so a slower or faster machine looks like a change";
  const over =
    without === 0
      ? `${control}.`
      : without === rows.length
        ? `N${noControl.slice(1)}.`
        : `${control}; in ${count(without, "cell")} ${noControl}.`;
  return [`Unpaired, since rounds of two runs form no pairs; all intervals hold together with 95 %. ${over}`];
}

function bySize(a: ComparedCell, b: ComparedCell): number {
  return Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio));
}

function lineOf(row: ComparedCell): ChangeLine {
  const { beforeNs, nowNs, ratio: times, interval, rounds, pairing, verdict } = row;
  const few = interval === null ? ` (too few rounds: ${rounds[0]} then, ${rounds[1]} now)` : "";
  return {
    name: rowName(row),
    cell: cellText(row),
    before: duration(beforeNs),
    now: duration(nowNs),
    ratio: interval === null ? ratio(times) : `${ratio(times)} ${ratioRange(interval)}`,
    pairing: PAIRINGS[pairing],
    verdict: `${VERDICTS[verdict]}${few}`,
  };
}

function cellText(row: Change): string {
  const parts = [row.benchmark, sizeText(row), variantOf(row), MODE_LABELS[row.mode], PLACEMENT_LABELS[row.placement]];
  return parts.filter((part) => part !== "").join(", ");
}
