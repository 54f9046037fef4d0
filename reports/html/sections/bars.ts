/** Picture of an answer: a bar for each candidate, as plain markup. Places are percentages, so it fits any width. */
import { shownName } from "../../../harness/pick/words.ts";
import { count } from "../../../harness/results/format.ts";
import type { Interval, Pick, Report } from "../../../harness/results/model.ts";
import { MODE_LABELS } from "../../labels.ts";
import {
  metricOf,
  type PickStanding,
  pickStanding,
  plainC,
  type RecheckStanding,
  recheckStanding,
  times,
} from "../../pick-words.ts";
import { arrow, ticksOf } from "../forest.ts";
import { type Html, html } from "../markup.ts";

/** Largest number of bars beside the answer; the rest is folded. */
const MOST_BARS = 10;
/** Multiple of the fastest at which bars are cut off, unless the pick itself takes longer. */
const CUT = 5;
const LEAST_SCALE = 1.5;
/** Space right of the longest bar, as a share of the axis. */
const MARGIN = 0.03;
/** Height of the plot of a row, px. */
const HEIGHT = 22;
const MIDDLE = HEIGHT / 2;
const BAR = 12;

/** Words beside a bar. Each standing has an outline of its own too. */
const WORDS: Readonly<Record<PickStanding | RecheckStanding, string>> = {
  pick: "▶ pick",
  tie: "= tie",
  immaterial: "~ does not matter",
  "may-matter": "~ may matter",
  behind: "behind",
  unknown: "? too few rounds",
  decided: "▶ decided",
  wins: "▲ wins",
  loses: "does not win",
  open: "? open",
  unjudged: "not judged",
};

interface Extent {
  readonly ratio: number;
  readonly interval: Interval | null;
}

interface Bar extends Extent {
  readonly name: string;
  readonly standing: PickStanding | RecheckStanding;
  readonly value: string;
  /** Place of plain C on the same mechanism. */
  readonly c: number | undefined;
}

/** Renders the candidates of a pick with their cost relative to the fastest; nothing where there is no ranking. */
export function bars(report: Report, pick: Pick): Html | "" {
  const { ranking = [] } = pick;
  const [fastest] = ranking;
  if (fastest === undefined) return "";
  const all = ranking.map((row) => barOf(report, pick, row));
  const end = endOf(all);
  const first = all.filter((bar, at) => at < MOST_BARS || isSubject(bar));
  const rest = all.filter((bar) => !first.includes(bar));
  const marks = [
    ...(all.some(({ c }) => c !== undefined) ? ["◇ plain C on the same mechanism"] : []),
    ...(all.some((bar) => farEnd(bar) > end) ? ["→ cut off, the figure is beside it"] : []),
  ];
  return html`<figure class="bars">
<p class="caption"><b>Times ${metricOf(pick).more} as ${shownName(fastest.transport, report.environment.platform)}</b>,
${count(all.length, "candidate")}, 95 % intervals</p>
<ol>${first.map((bar) => row(bar, end))}</ol>
<div class="axis" aria-hidden="true">${axis(end)}</div>
${marks.length > 0 && html`<figcaption>${marks.join(" · ")}</figcaption>`}
${
  rest.length > 0 &&
  html`<details><summary>${rest.length} more candidates</summary><ol>${rest.map((bar) => row(bar, end))}</ol></details>`
}
</figure>`;
}

function barOf(report: Report, pick: Pick, row: Pick["ranking"][number]): Bar {
  const standing = report.recheck ? recheckStanding(report.recheck, pick, row) : pickStanding(pick, row);
  const isOne = new Set(pick.ranking.map(({ mode }) => mode)).size === 1;
  const { transport, mode, ratio, interval } = row;
  return {
    name: isOne ? transport : `${transport}, ${MODE_LABELS[mode] ?? mode}`,
    standing,
    ratio,
    interval: row === pick.ranking[0] ? null : interval,
    value: row === pick.ranking[0] ? times({ ...row, interval: null }) : times(row),
    c: plainC(report, pick, row),
  };
}

/** True for the bar that the page is about. */
const isSubject = ({ standing }: Bar): boolean => standing === "pick" || standing === "decided";

const farEnd = ({ ratio, interval }: Extent): number => Math.max(ratio, interval?.[1] ?? 0);

/** Returns the end of the axis: where the longest bar ends, but not far beyond the subject of the page. */
function endOf(all: readonly Bar[]): number {
  const subject = all.find(isSubject);
  const cut = Math.max(CUT, subject === undefined ? 0 : farEnd(subject));
  return Math.max(LEAST_SCALE, Math.min(cut, Math.max(...all.map(farEnd)))) * (1 + MARGIN);
}

function row({ name, standing, value, ...drawn }: Bar, end: number): Html {
  return html`<li class="${standing}"><span class="name"><code>${name}</code></span>
<svg width="100%" height="${HEIGHT}" aria-hidden="true">${plot(drawn, end)}</svg>
<span class="value">${value}</span> <span class="standing">${WORDS[standing]}</span></li>`;
}

function plot({ ratio, interval, c }: Omit<Bar, "name" | "standing" | "value">, end: number): Html {
  const at = (value: number): string => `${(100 * Math.min(1, Math.max(0, value / end))).toFixed(2)}%`;
  const top = MIDDLE - BAR / 2;
  const upright = (value: number, kind: string, half: number): Html =>
    html`<line class="${kind}" x1="${at(value)}" x2="${at(value)}" y1="${MIDDLE - half}" y2="${MIDDLE + half}"/>`;
  const range = (kind: string): Html | null =>
    interval &&
    html`<line class="${kind}" x1="${at(interval[0])}" x2="${at(interval[1])}" y1="${MIDDLE}" y2="${MIDDLE}"/>
${interval.filter((bound) => bound <= end).map((bound) => upright(bound, kind, 4))}`;
  return html`<rect class="amount" x="0" y="${top}" width="${at(ratio)}" height="${BAR}"/>
${upright(1, "best", MIDDLE)}
${range("halo")}${range("whisker")}
${farEnd({ ratio, interval }) > end && arrow("100%", MIDDLE)}
${
  c !== undefined &&
  c <= end &&
  html`<svg x="${at(c)}" y="${MIDDLE}" overflow="visible"><path class="plain-c" d="M0 -5 L5 0 L0 5 L-5 0 Z"/></svg>`
}`;
}

function axis(end: number): Html {
  return html`<svg width="100%" height="22"><line class="base" x1="0" x2="100%" y1="0.5" y2="0.5"/>
${ticksOf({ low: 0, high: end }).map((value) => {
  const x = `${((100 * value) / end).toFixed(2)}%`;
  const anchor = value === 0 ? "start" : value / end > 0.95 ? "end" : "middle";
  return html`<line class="base" x1="${x}" x2="${x}" y1="0" y2="5"/>
<text x="${x}" y="18" text-anchor="${anchor}">${Math.round(value * 100) / 100}×</text>`;
})}</svg>`;
}
