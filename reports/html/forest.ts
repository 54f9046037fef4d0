/** Forest plot as one small SVG for each row. Places along the axis are percentages, so it fits any width. */
import type { Interval } from "../../harness/results/model.ts";
import { type Html, html } from "./markup.ts";

export interface ForestRow {
  readonly name: string;
  /** Change and its interval in words, or the reason why there are none. */
  readonly value: string;
  /** `good` and `bad`: a verdict; `open`: none. */
  readonly tone: "good" | "bad" | "open";
  /** Change of the head as a share: 0.05 is 5 % worse. Absent where nothing was measured. */
  readonly estimate?: number;
  /** 95 % interval of the change, as shares. */
  readonly range?: Interval;
  /** Change that is excluded. */
  readonly bound?: number;
  /** Change that must be excluded for a pass. */
  readonly tolerance?: number;
}

interface Scale {
  readonly low: number;
  readonly high: number;
}

/** Height of a row, px. */
const HEIGHT = 30;
const MIDDLE = HEIGHT / 2;
/** Multiple of the largest tolerance that is drawn; beyond it an arrow stands for the rest. */
const MOST_TOLERANCES = 2;
const DEFAULT_TOLERANCE = 0.2;
/** Smallest length of the axis on either side of "no change", as a share. */
const LEAST_SIDE = 0.02;
/** Space at both ends, as a share of the axis. */
const MARGIN = 0.04;
const MOST_TICKS = 5;

export function forest(rows: readonly ForestRow[]): Html {
  const scale = scaleOf(rows);
  return html`<div class="forest-plot">${rows.map((row) => plotRow(row, scale))}
<div class="row axis"><span class="name"></span>${axis(scale)}<span class="value"></span></div></div>`;
}

export function scaleOf(rows: readonly ForestRow[]): Scale {
  const tolerances = rows.flatMap(({ tolerance }) => tolerance ?? []);
  const largest = tolerances.length === 0 ? DEFAULT_TOLERANCE : Math.max(...tolerances);
  const ends = rows.flatMap(({ estimate, range, bound }) => [estimate ?? 0, ...(range ?? []), bound ?? 0]);
  const most = MOST_TOLERANCES * largest;
  const high = Math.min(most, Math.max(LEAST_SIDE, largest, ...ends));
  const low = Math.max(-most, Math.min(-LEAST_SIDE, ...ends));
  const margin = MARGIN * (high - low);
  return { low: low - margin, high: high + margin };
}

function plotRow({ name, value, tone, ...drawn }: ForestRow, scale: Scale): Html {
  return html`<div class="row ${tone}"><span class="name">${name}</span>
<svg width="100%" height="${HEIGHT}" aria-hidden="true">${marks(drawn, tone, scale)}</svg>
<span class="value">${value}</span></div>`;
}

function marks(
  { estimate, range, bound, tolerance }: Omit<ForestRow, "name" | "value" | "tone">,
  tone: ForestRow["tone"],
  scale: Scale,
): Html {
  const at = (share: number): string => place(share, scale);
  const upright = (share: number, kind: string, half: number): Html =>
    html`<line class="${kind}" x1="${at(share)}" x2="${at(share)}" y1="${MIDDLE - half}" y2="${MIDDLE + half}"/>`;
  const band =
    tolerance !== undefined &&
    html`<rect class="band" x="${at(0)}" width="${width(tolerance, scale)}" height="${HEIGHT}"/>
${upright(tolerance, "edge", MIDDLE)}`;
  const line =
    range !== undefined &&
    html`<line class="range" x1="${at(range[0])}" x2="${at(range[1])}" y1="${MIDDLE}" y2="${MIDDLE}"/>`;
  const point =
    estimate !== undefined &&
    isIn(estimate, scale) &&
    html`<circle class="point ${tone}" cx="${at(estimate)}" cy="${MIDDLE}" r="4.5"/>`;
  const seen = [...(range ?? []), ...(estimate === undefined ? [] : [estimate])];
  return html`${band}${upright(0, "zero", MIDDLE)}${line}
${bound !== undefined && bound < scale.high && upright(bound, "bound", 6)}
${point}
${seen.some((share) => share > scale.high) && arrow("100%", MIDDLE)}
${seen.some((share) => share < scale.low) && arrow("0%", MIDDLE)}`;
}

/**
 * Draws the arrow at an end of the axis beyond which a mark goes on. A path takes no percentage, so it is in an SVG of
 * its own, which takes one.
 */
export function arrow(x: "0%" | "100%", y: number): Html {
  const back = x === "0%" ? 8 : -8;
  return html`<svg x="${x}" y="${y}" overflow="visible"><path class="arrow" d="M${back} -5 L0 0 L${back} 5 Z"/></svg>`;
}

function isIn(share: number, { low, high }: Scale): boolean {
  return share >= low && share <= high;
}

function partOf(share: number, { low, high }: Scale): number {
  return Math.min(1, Math.max(0, (share - low) / (high - low)));
}

function place(share: number, scale: Scale): string {
  return `${(100 * partOf(share, scale)).toFixed(2)}%`;
}

function width(share: number, scale: Scale): string {
  return `${(100 * (partOf(share, scale) - partOf(0, scale))).toFixed(2)}%`;
}

function axis(scale: Scale): Html {
  return html`<svg width="100%" height="26" aria-hidden="true">
<line class="base" x1="0%" x2="100%" y1="0.5" y2="0.5"/>
${ticksOf(scale).map((share) => {
  const x = place(share, scale);
  const percent = Math.round(share * 1e6) / 1e4;
  const text = percent > 0 ? `+${percent} %` : `${percent} %`;
  const part = partOf(share, scale);
  const anchor = part < 0.05 ? "start" : part > 0.95 ? "end" : "middle";
  return html`<line class="base" x1="${x}" x2="${x}" y1="0" y2="6"/>
<text x="${x}" y="20" text-anchor="${anchor}">${text}</text>`;
})}</svg>`;
}

/** Returns round places on the axis: multiples of 1, 2 or 5 times a power of ten, no change among them. */
export function ticksOf({ low, high }: Scale): number[] {
  const rough = (high - low) / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}
