// A plot of two costs: marks with names, and the line of the front.
import { bytes } from "../../../harness/results/format.ts";
import { axis, replaceChart } from "./charts.js";
import { byId } from "./dom.js";
import { fitted } from "./fit.js";
import { frontLine } from "./front.js";
import { cssColour, lookOf } from "./look.js";
import { placeLabels } from "./place-labels.js";

/**
 * A row: `y` is drawn, `cost` orders it (smaller is better); `words` name its place.
 *
 * @typedef {{ name: string, x: number, y: number, cost: number, place: "front" | "beaten" | "open", words: string,
 *   interval: readonly [number, number] | null }} Mark
 */
/** @typedef {{ x: number, y: number }} Spot a place in the plot, px */
/** @typedef {{ title: string, text: (value: number) => string }} Measure */

const FONT = "ui-sans-serif, system-ui, sans-serif";
const LINE_HEIGHT = 14;
const RING = 9;
/** Largest share of the plot for one name. */
const NAME_SHARE = 0.4;
/** Names are given room in this order. */
const IMPORTANCE = ["front", "open", "beaten"];
/** Number of ticks that an axis of bytes should not exceed. */
const MOST_BYTE_TICKS = 6;

/**
 * @param {string} id @param {string} label @param {readonly Mark[]} marks @param {Measure} x @param {Measure} y
 */
export function drawScatter(id, label, marks, x, y) {
  byId(`${id}-chart`).setAttribute("aria-label", label);
  const ordered = [...marks].sort((a, b) => IMPORTANCE.indexOf(a.place) - IMPORTANCE.indexOf(b.place));
  const front = frontLine(marks.map((mark) => ({ x: mark.x, y: mark.cost, mark })));
  const xs = marks.map((mark) => mark.x);
  const ys = marks.flatMap((mark) => [mark.y, ...(mark.interval ?? [])]);
  const isUpBetter = marks.some((mark) => mark.cost !== mark.y);
  const ticks = x.text === bytes ? byteTicks(Math.min(...xs), Math.max(...xs)) : undefined;
  replaceChart(id, {
    type: "line",
    data: {
      datasets: [
        lineOf(
          frontEdge(
            front.map(({ mark }) => mark),
            spread(xs),
            spread(ys),
            isUpBetter,
          ),
        ),
        ...ordered.map(datasetOf),
      ],
    },
    plugins: [namesOf(id, ordered)],
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      layout: { padding: { top: 12, right: 16 } },
      interaction: { mode: "nearest", intersect: false },
      scales: {
        x: {
          ...axis({ kind: "logarithmic", title: x.title, text: x.text, ...(ticks ? { ticks } : {}) }),
          ...spread(xs),
        },
        y: { ...axis({ kind: "logarithmic", title: y.title, text: y.text }), ...spread(ys) },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          filter: (/** @type {{ datasetIndex: number }} */ item) => item.datasetIndex > 0,
          callbacks: {
            title: () => "",
            label: (/** @type {{ datasetIndex: number }} */ item) => {
              const mark = ordered[item.datasetIndex - 1];
              return mark ? `${mark.name}: ${y.text(mark.y)}, ${x.text(mark.x)}; ${mark.words}` : "";
            },
          },
        },
      },
    },
  });
}

/** Returns the range with room for rings and names. @param {readonly number[]} values */
function spread(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.04, 0.06 * Math.log(high / low));
  return { min: low * Math.exp(-room), max: high * Math.exp(room) };
}

/**
 * Returns the edge of the front with its ends at the borders of the plot, so that it is there for one row too.
 *
 * @typedef {{ min: number, max: number }} Range
 * @param {readonly Mark[]} front @param {Range} xs @param {Range} ys @param {boolean} isUpBetter
 */
function frontEdge(front, xs, ys, isUpBetter) {
  const [first, last] = [front[0], front.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [{ x: first.x, y: isUpBetter ? ys.min : ys.max }, ...front, { x: xs.max, y: last.y }];
}

/** @param {readonly { x: number, y: number }[]} edge */
function lineOf(edge) {
  return {
    label: "front",
    data: edge.map(({ x, y }) => ({ x, y })),
    parsing: false,
    borderColor: cssColour("--quiet"),
    borderWidth: 1.25,
    pointRadius: 0,
    pointHitRadius: 0,
    stepped: true,
  };
}

/** @param {Mark} mark */
function datasetOf({ name, x, y, place }) {
  const look = lookOf(name);
  return {
    label: name,
    data: [{ x, y }],
    parsing: false,
    borderColor: look.colour,
    backgroundColor: look.colour,
    pointStyle: look.point,
    borderWidth: 1.75,
    pointRadius: place === "beaten" ? 3.5 : 5,
    pointHoverRadius: 7,
    showLine: false,
  };
}

/**
 * Draws intervals, rings of the front, and names, each beside its mark and over no other. Below the plot stand
 * the names that had no room.
 *
 * @param {string} id @param {readonly Mark[]} marks in the order of their datasets, which begin at 1
 */
function namesOf(id, marks) {
  return {
    id: "names",
    /** @param {import("chart.js").Chart} chart */
    afterDatasetsDraw(chart) {
      const { ctx, chartArea } = chart;
      const ink = cssColour("--ink");
      ctx.save();
      ctx.textBaseline = "middle";
      ctx.lineJoin = "round";
      const labels = marks.flatMap((mark, at) => {
        const [point] = chart.getDatasetMeta(at + 1).data;
        if (!point) return [];
        ctx.font = `${mark.place === "front" ? "600 " : ""}12px ${FONT}`;
        const widthOf = (/** @type {string} */ text) => ctx.measureText(text).width;
        const name = mark.place === "open" ? `${mark.name} ?` : mark.name;
        const text = fitted(name, NAME_SHARE * (chartArea.right - chartArea.left), widthOf);
        return [
          { ...{ mark, text, font: ctx.font, x: point.x, y: point.y, height: LINE_HEIGHT }, width: widthOf(text) },
        ];
      });
      for (const { mark, x, y } of labels) drawMark(ctx, mark, x, y, chart, ink);
      const boxes = placeLabels(labels, { ...chartArea, right: chart.width }, boxesOf(chart.getDatasetMeta(0).data));
      labels.forEach((label, at) => {
        const found = boxes[at];
        if (found) drawName(ctx, label, found);
      });
      ctx.restore();
      const left = labels.filter((_, at) => boxes[at] === null).map(({ mark }) => mark.name);
      byId(`${id}-caption`).textContent = left.length === 0 ? "" : `Marks without room for a name: ${left.join(", ")}.`;
    },
  };
}

/** Returns the boxes of a stepped line, each step a level part and an upright one. @param {readonly Spot[]} line */
function boxesOf(line) {
  return line.slice(1).flatMap((to, at) => {
    const from = line[at] ?? to;
    return [
      { left: from.x, right: to.x, top: from.y - 1, bottom: from.y + 1 },
      { left: to.x - 1, right: to.x + 1, top: Math.min(from.y, to.y), bottom: Math.max(from.y, to.y) },
    ];
  });
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {Mark} mark @param {number} x @param {number} y
 * @param {import("chart.js").Chart} chart @param {string} ink
 */
function drawMark(ctx, mark, x, y, chart, ink) {
  ctx.beginPath();
  ctx.strokeStyle = lookOf(mark.name).colour;
  ctx.lineWidth = 1.25;
  ctx.globalAlpha = 0.5;
  for (const bound of mark.interval ?? []) {
    ctx.moveTo(x, y);
    ctx.lineTo(x, chart.scales.y?.getPixelForValue(bound) ?? y);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
  if (mark.place !== "front") return;
  ctx.beginPath();
  ctx.strokeStyle = ink;
  ctx.lineWidth = 1.5;
  ctx.arc(x, y, RING, 0, 2 * Math.PI);
  ctx.stroke();
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {{ mark: Mark, text: string, font: string, x: number, y: number }} label
 * @param {{ box: import("./place-labels.js").Box, hasLeader: boolean }} found
 */
function drawName(ctx, { mark, text, font, x, y }, { box, hasLeader }) {
  const middle = (box.top + box.bottom) / 2;
  const { colour } = lookOf(mark.name);
  if (hasLeader) {
    ctx.beginPath();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    ctx.globalAlpha = 0.5;
    ctx.moveTo(x, y);
    ctx.lineTo(Math.min(Math.max(x, box.left), box.right), Math.min(Math.max(y, box.top), box.bottom));
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  ctx.font = font;
  ctx.strokeStyle = cssColour("--paper");
  ctx.lineWidth = 3;
  ctx.strokeText(text, box.left, middle);
  ctx.fillStyle = colour;
  ctx.fillText(text, box.left, middle);
}

/** Returns round places on an axis of bytes: powers of two over a wide range, else multiples of one. */
function byteTicks(/** @type {number} */ low, /** @type {number} */ high) {
  let step = 1;
  while ((high - low) / step > MOST_BYTE_TICKS) step *= 2;
  const first = Math.ceil(low / step) * step;
  if (high / low < 4)
    return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, at) => first + at * step);
  const powers = [];
  for (let tick = 2 ** Math.ceil(Math.log2(low)); tick <= high; tick *= 2) powers.push(tick);
  const each = Math.ceil(powers.length / MOST_BYTE_TICKS);
  return powers.filter((_, at) => at % each === 0);
}
