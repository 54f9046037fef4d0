import { median } from "../../harness/results/quantiles.ts";
import { loadGateStyle } from "./assets.ts";
import { type Html, html } from "./markup.ts";
import { htmlPage } from "./page.ts";
import { unbroken } from "./sections/verdict.ts";

/** Level of one cell on one machine, run by run. */
export interface DriftPageRow {
  readonly name: string;
  /** Outcome in words, with the size of the drift. */
  readonly words: string;
  readonly tone: "good" | "bad" | "open";
  /** One level for each run: 1 is the best one that it had, more is worse. */
  readonly levels: readonly number[];
  /** Dates of the first and the last run. */
  readonly dates: readonly [first: string, last: string];
  /** Changes of the level: the first run behind each, and what is known of it. */
  readonly steps: readonly { readonly at: number; readonly words: string }[];
}

/** Result of `gate --drift` as its page shows it: `ci/gate/drift-page.ts` makes it. */
export interface DriftPage {
  readonly sentence: string;
  /** Growth that is accepted, as a share. */
  readonly tolerance: number;
  /** Sentences on lines of the history that were left out. */
  readonly defects: readonly string[];
  readonly rows: readonly DriftPageRow[];
  readonly ipcmark: string;
}

/** Height of a plot and of its margin above, where the numbers of the changes are; px. */
const HEIGHT = 110;
const TOP = 18;
const BOTTOM = 6;
/** Share of the width that is left free at each end. */
const MARGIN = 0.02;

const NOTE =
  "Each dot is the median of the head in one run, relative to the best level that the cell has had: higher is worse. " +
  "Where every run has the frozen echo, levels are relative to it, so that a slower machine is no drift. " +
  "Horizontal lines are medians between two changes; a numbered line is a change point. The dashed line is the " +
  "growth that is accepted.";

/** Renders one page that is complete in itself and has no script. */
export async function renderDrift(drift: DriftPage): Promise<string> {
  const body = html`
<a class="skip" href="#main">Skip to the verdict</a>
<header class="page"><p class="brand"><b>ipcmark</b> Slow drift over many runs of a gate</p></header>
<main id="main" class="page">
<section id="verdict"><h1>${unbroken(drift.sentence)}</h1>
${
  drift.defects.length > 0 &&
  html`<aside class="warning"><b>Left out.</b><ul>${drift.defects.map((text) => html`<li>${text}</li>`)}</ul></aside>`
}</section>
<section id="drift"><h2>Each cell over time</h2><p class="note">${NOTE}</p>
${drift.rows.map((row) => cell(row, drift.tolerance))}</section>
</main>
<footer class="page">
<p>Written by ipcmark ${drift.ipcmark}. This file is complete in itself: it loads nothing and has no script.</p>
</footer>`;
  return htmlPage({ title: `ipcmark drift: ${drift.sentence}`, body, style: await loadGateStyle(), scripts: [] });
}

function cell(row: DriftPageRow, tolerance: number): Html {
  const { name, words, tone, steps, dates } = row;
  return html`<article class="drift ${tone}"><h3>${name}</h3><p>${unbroken(words)}</p>
<figure>${plot(row, tolerance)}
<figcaption><span>${dates[0]}</span><span>${dates[1]}</span></figcaption></figure>
${steps.length > 0 && html`<ol>${steps.map((step) => html`<li>${unbroken(step.words)}</li>`)}</ol>`}</article>`;
}

interface Scale {
  readonly x: (index: number) => string;
  readonly y: (level: number) => string;
}

function scaleOf(levels: readonly number[], tolerance: number): Scale {
  const [low, high] = [Math.min(1, ...levels), Math.max(1 + tolerance, ...levels)];
  const last = Math.max(1, levels.length - 1);
  return {
    x: (index) => `${(100 * (MARGIN + ((1 - 2 * MARGIN) * index) / last)).toFixed(2)}%`,
    y: (level) => (TOP + ((high - level) / (high - low)) * (HEIGHT - TOP - BOTTOM)).toFixed(1),
  };
}

function plot({ name, levels, steps }: DriftPageRow, tolerance: number): Html {
  const { x, y } = scaleOf(levels, tolerance);
  const across = (kind: string, level: number): Html =>
    html`<line class="${kind}" x1="0%" x2="100%" y1="${y(level)}" y2="${y(level)}"/>`;
  const starts = [0, ...steps.map(({ at }) => at)];
  const segments = starts.map((from, index) => {
    const to = starts[index + 1] ?? levels.length;
    const level = y(median(levels.slice(from, to)));
    return html`<line class="range" x1="${x(from)}" x2="${x(to - 1)}" y1="${level}" y2="${level}"/>`;
  });
  const changes = steps.map(({ at }, index) => {
    const place = x(at - 0.5);
    return html`<line class="edge" x1="${place}" x2="${place}" y1="${TOP}" y2="${HEIGHT}"/>
<text x="${place}" y="12" text-anchor="middle">${index + 1}</text>`;
  });
  return html`<svg width="100%" height="${HEIGHT}" role="img" aria-label="${name}: level of ${levels.length} runs">
${across("zero", 1)}${across("accepted", 1 + tolerance)}${changes}
${levels.map((level, index) => html`<circle class="run" cx="${x(index)}" cy="${y(level)}" r="2.5"/>`)}
${segments}</svg>`;
}
