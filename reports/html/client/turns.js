// Where lines change places, and the knees of load curves: marks in a chart, and lists below it.
import { quantity } from "../../../harness/results/format.ts";
import { view } from "./data.js";
import { byId, element } from "./dom.js";
import { cssColour, lookOf } from "./look.js";

/** @typedef {import("./data.js").State} State */
/** @typedef {import("../lines.ts").ViewLine} Line */
/** @typedef {Line["crossings"][number]} Crossing */
/**
 * @typedef {{ crossing: Crossing, sign: string }} Turn
 * @typedef {Line["knees"][number]} Knee
 */

/** Largest number of changes that are marked in a chart. */
const MOST_MARKED = 9;
const MARK_RADIUS = 9;
const KNEE_HALF = 11;

/** Returns the line of the chosen cells over this quantity. @param {State} state @param {Line["over"]} over */
export function lineOver(state, over) {
  return view.lines.find(
    (line) =>
      line.over === over &&
      line.placement === state.placement &&
      line.mode === state.mode &&
      line.benchmarks.includes(state.benchmark) &&
      (line.payload === null || line.payload === state.payload),
  );
}

/**
 * Lists the changes of order among the rows shown and returns those to mark, the ones that were told first.
 *
 * @param {string} id @param {Line | undefined} line @param {State} state @returns {Turn[]}
 */
export function listTurns(id, line, state) {
  const shown = (line?.crossings ?? []).filter(
    ({ before, after }) => !state.hidden.has(before) && !state.hidden.has(after),
  );
  const told = shown.filter(({ isTold }) => isTold);
  const open = shown.filter(({ isTold }) => !isTold);
  const marked = told.slice(0, MOST_MARKED);
  byId(`${id}-turns`).replaceChildren(...marked.map(({ text }) => element("li", {}, text)));
  fillRest(`${id}-more`, `Further changes of order: ${told.length - marked.length}`, told.slice(MOST_MARKED));
  fillRest(`${id}-open`, `Changes that this run cannot tell: ${open.length}`, open);
  return [
    ...marked.map((crossing, at) => ({ crossing, sign: String(at + 1) })),
    ...open.slice(0, MOST_MARKED - marked.length).map((crossing) => ({ crossing, sign: "?" })),
  ];
}

/** @param {string} id @param {string} title @param {readonly Crossing[]} crossings */
function fillRest(id, title, crossings) {
  const details = byId(id);
  details.hidden = crossings.length === 0;
  details.replaceChildren(
    element("summary", {}, title),
    element("ul", { class: "note" }, ...crossings.map(({ text }) => element("li", {}, text))),
  );
}

/** Returns a sentence on the knees; empty where none was judged. @param {readonly Knee[]} knees */
export function kneeSentence(knees) {
  const groups = [...new Set(knees.map(({ rate }) => rate))].sort((a, b) => (a ?? 0) - (b ?? 0));
  const parts = groups.map((rate) => {
    const own = knees.filter((knee) => knee.rate === rate);
    const names = own.map(({ name }) => name).join(", ");
    if (rate === null) return `none of the rates was followed by ${names}`;
    if (own.some(({ isHighest }) => isHighest)) return `no knee up to ${quantity(rate)}/s, the highest rate: ${names}`;
    return `knee of ${names} at ${quantity(rate)}/s`;
  });
  return parts.length === 0 ? "" : `${parts.join("; ")}.`.replace(/^./, (first) => first.toUpperCase());
}

/**
 * Draws numbered marks where lines change places, and bars at knees.
 *
 * @param {readonly Turn[]} turns @param {readonly Knee[]} knees
 */
export function turnMarks(turns, knees) {
  return {
    id: "turnMarks",
    /** @param {import("chart.js").Chart} chart */
    afterDatasetsDraw(chart) {
      const { ctx } = chart;
      ctx.save();
      for (const knee of knees) if (!knee.isHighest) drawKnee(chart, knee);
      /** @type {{ x: number, y: number }[]} */
      const taken = [];
      for (const { crossing, sign } of turns) {
        const spot = meetingPoint(chart, crossing);
        if (spot === undefined) continue;
        while (taken.some(({ x, y }) => Math.hypot(x - spot.x, y - spot.y) < 2 * MARK_RADIUS)) spot.y -= MARK_RADIUS;
        taken.push(spot);
        drawSign(ctx, spot, sign, crossing.isTold);
      }
      ctx.restore();
    },
  };
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {{ x: number, y: number }} at @param {string} sign
 * @param {boolean} isTold
 */
function drawSign(ctx, { x, y }, sign, isTold) {
  const ink = cssColour("--ink");
  ctx.beginPath();
  ctx.arc(x, y, MARK_RADIUS, 0, 2 * Math.PI);
  ctx.fillStyle = cssColour("--paper");
  ctx.fill();
  ctx.strokeStyle = ink;
  ctx.lineWidth = 1.5;
  ctx.setLineDash(isTold ? [] : [2, 2]);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.fillStyle = ink;
  ctx.font = "600 11px ui-sans-serif, system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(sign, x, y + 0.5);
}

/** @param {import("chart.js").Chart} chart @param {Knee} knee */
function drawKnee(chart, { name, rate }) {
  const spot = rate === null ? undefined : pixelsOf(chart, name).get(rate);
  if (spot === undefined) return;
  const { ctx } = chart;
  ctx.beginPath();
  ctx.strokeStyle = lookOf(name).colour;
  ctx.lineWidth = 3;
  ctx.moveTo(spot.x, spot.y - KNEE_HALF);
  ctx.lineTo(spot.x, spot.y + KNEE_HALF);
  ctx.stroke();
}

/**
 * Returns the drawn points of a row by their values along the axis.
 *
 * @param {import("chart.js").Chart} chart @param {string} name @returns {Map<number, { x: number, y: number }>}
 */
function pixelsOf(chart, name) {
  const at = chart.data.datasets.findIndex(({ label }) => label === name);
  if (at < 0) return new Map();
  const points = chart.getDatasetMeta(at).data;
  return new Map(
    (chart.data.datasets[at]?.data ?? []).flatMap((raw, index) => {
      const point = points[index];
      const { x } = /** @type {{ x: number }} */ (raw);
      return point && Number.isFinite(point.y) ? [[x, { x: point.x, y: point.y }]] : [];
    }),
  );
}

/**
 * Returns where two lines meet as they are drawn; half way between the two where their medians do not meet.
 *
 * @param {import("chart.js").Chart} chart @param {Crossing} crossing
 */
function meetingPoint(chart, { before, after, from, to }) {
  const [one, other] = [pixelsOf(chart, before), pixelsOf(chart, after)];
  const common = [...one].flatMap(([value, spot]) => {
    const facing = other.get(value);
    return facing && value >= from && value <= to ? [{ x: spot.x, y: spot.y, gap: spot.y - facing.y }] : [];
  });
  for (const [index, right] of common.entries()) {
    const left = common[index - 1];
    if (left === undefined || left.gap * right.gap > 0) continue;
    const share = left.gap === right.gap ? 0.5 : left.gap / (left.gap - right.gap);
    return { x: left.x + share * (right.x - left.x), y: left.y + share * (right.y - left.y) };
  }
  const [first, last] = [common[0], common.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return { x: (first.x + last.x) / 2, y: (first.y + last.y - (first.gap + last.gap) / 2) / 2 };
}
