// The choice of charts for the chosen cells, and their data.
import { ABSENT, bytes, duration, durationRange, quantity, quantityRange } from "../../../harness/results/format.ts";
import { clearChart, drawChart } from "./charts.js";
import { cellsIn, cellsOf, distinct, metricFor, metricOf, view } from "./data.js";
import { byId, element, fillTable } from "./dom.js";
import { failures, leaders, mergedWarnings, NOTHING } from "./findings.js";
import { sizesOf } from "./state.js";
import { kneeSentence, lineOver, listTurns, turnMarks } from "./turns.js";

/** @typedef {import("./data.js").State} State */
/** @typedef {import("./data.js").Cell} Cell */
/** @typedef {import("./charts.js").Axis} Axis */
/** @typedef {import("./charts.js").Point} Point */

/** Warnings that the points of the single trials explain. */
const ABOUT_TRIALS = ["bimodal", "not-settled", "not-stationary"];
const PERCENT_TICKS = [1, 2, 10, 100, 1e3, 1e4, 1e5, 1e6];

/** Returns the drawing of each figure: together they would keep the reader waiting. @param {State} state */
export function figuresOf(state) {
  const cells = cellsOf(state);
  const ofSize = cells.filter((cell) => cell.payload === state.payload);
  const metric = metricFor(cells);
  return [
    () => drawSizes("sizes", cells, metric, state),
    () => drawPercentiles(ofSize),
    () => drawTrials(ofSize, metric),
    () => drawThroughput(state, cells),
    () => drawGrowth(state),
  ];
}

/** @param {"p50" | "messagesPerSecond"} metric @returns {Axis} */
export function valueAxis(metric) {
  return metric === "p50"
    ? { kind: "logarithmic", title: "p50 round trip", text: duration }
    : { kind: "logarithmic", title: "messages per second", text: quantity };
}

/**
 * @param {string} id @param {readonly Cell[]} cells @param {"p50" | "messagesPerSecond"} metric
 * @param {State} state
 */
function drawSizes(id, cells, metric, state) {
  const sizes = sizesOf(cells);
  const text = metric === "p50" ? duration : quantity;
  const names = distinct(cells.map((cell) => cell.name));
  const series = names.map((name) => ({
    name,
    points: cells
      .filter((cell) => cell.name === name)
      .sort((a, b) => a.payload - b.payload)
      .map((cell) => withInterval(cell.payload, cell, metric)),
  }));
  const x = /** @type {Axis} */ ({ kind: "logarithmic", title: "message size", text: bytes, ticks: sizes });
  show(
    id,
    `${metric === "p50" ? "p50" : "Messages per second"} by message size for ${names.join(", ")}`,
    series,
    x,
    valueAxis(metric),
    true,
    id === "sizes" ? [turnMarks(listTurns(id, lineOver(state, "payload"), state), [])] : [],
  );
  fillTable(
    `${id}-table`,
    ["transport", ...sizes.map((size) => bytes(size))],
    names.map((name) => [
      name,
      ...sizes.map((size) =>
        valueText(
          cells.find((cell) => cell.name === name && cell.payload === size),
          metric,
          text,
        ),
      ),
    ]),
  );
  if (id === "sizes")
    byId("sizes-finding").textContent = [leaders(cells, sizes, metric, state), ...failures(cells)].join(" ");
}

/** @param {readonly Cell[]} cells */
function drawPercentiles(cells) {
  const series = cells
    .filter((cell) => cell.points.length > 0)
    .map((cell) => ({ name: cell.name, points: cell.points.map(([x, y]) => ({ x, y })) }));
  const furthest = Math.max(10, ...series.flatMap((one) => one.points.map((point) => point.x)));
  const ticks = PERCENT_TICKS.filter((tick) => tick <= furthest);
  const x = /** @type {Axis} */ ({ kind: "logarithmic", title: "percentile", text: percentile, ticks });
  show(
    "percentiles",
    `Round trip by percentile for ${series.map((one) => one.name).join(", ")}`,
    series,
    x,
    { kind: "logarithmic", title: "round trip", text: duration },
    true,
  );
  const reasons = cells.filter((cell) => cell.pointsReason !== "").map((cell) => `${cell.name}: ${cell.pointsReason}`);
  byId("percentiles-finding").textContent = reasons.join("; ");
  const tabled = ticks.filter((tick) => tick > 1);
  fillTable(
    "percentiles-table",
    ["transport", ...tabled.map(percentile)],
    series.map((one) => [one.name, ...tabled.map((tick) => duration(at(one.points, tick)))]),
  );
}

/**
 * Reads a curve up to its last point: beyond it are too few samples.
 * @param {readonly Point[]} points
 * @param {number} x
 */
function at(points, x) {
  const after = points.find((point) => point.x >= x * 0.9999);
  return after?.y ?? null;
}

/** @param {number} x */
function percentile(x) {
  const share = 100 * (1 - 1 / x);
  return `${Number(share.toFixed(Math.max(0, Math.ceil(Math.log10(x)) - 2)))} %`;
}

/** @param {readonly Cell[]} cells @param {"p50" | "messagesPerSecond"} metric */
function drawTrials(cells, metric) {
  const value = (/** @type {Cell["trials"][number]} */ trial) => (metric === "p50" ? trial.p50 : trial.rate);
  const series = cells.map((cell) => ({
    name: cell.name,
    points: cell.trials.flatMap((trial) => {
      const y = value(trial);
      return trial.valid && y !== null ? [{ x: trial.round, y }] : [];
    }),
  }));
  const text = metric === "p50" ? duration : quantity;
  const x = /** @type {Axis} */ ({
    kind: "linear",
    title: "round",
    text: String,
    ticks: distinct(cells.flatMap((cell) => cell.trials.map((trial) => trial.round))).sort((a, b) => a - b),
  });
  show(
    "trials",
    `${metric === "p50" ? "p50" : "Rate"} of each trial for ${cells.map((cell) => cell.name).join(", ")}`,
    series,
    x,
    valueAxis(metric),
    false,
  );
  const invalid = cells.flatMap((cell) =>
    cell.trials
      .filter((trial) => !trial.valid)
      .map((trial) => `${cell.name} round ${trial.round} is invalid: ${trial.reason || "no reason recorded"}`),
  );
  const warned = mergedWarnings(cells, ABOUT_TRIALS);
  byId("trials-finding").textContent = [...invalid, ...warned].join(". ");
  const rounds = distinct(cells.flatMap((cell) => cell.trials.map((trial) => trial.round))).sort((a, b) => a - b);
  fillTable(
    "trials-table",
    ["transport", ...rounds.map((round) => `round ${round}`)],
    cells.map((cell) => [
      cell.name,
      ...rounds.map((round) => {
        const trial = cell.trials.find((one) => one.round === round);
        return !trial ? ABSENT : trial.valid ? text(value(trial)) : "invalid";
      }),
    ]),
  );
}

/**
 * Draws the stream where it was measured; otherwise the rate of the chosen benchmark, and names it.
 * @param {State} state @param {readonly Cell[]} cells
 */
function drawThroughput(state, cells) {
  const streams = cellsOf({ ...state, benchmark: "throughput" });
  const shown = streams.length > 0 ? streams : cells;
  drawSizes("throughput", shown, "messagesPerSecond", state);
  const failed = failures(shown);
  const source = streams.length > 0 ? "" : `No stream was measured; these are the rates of ${state.benchmark}.`;
  byId("throughput-finding").textContent = [source, ...failed].filter(Boolean).join(" ");
}

/** Quantities of a load and the titles of their axes; where several vary, the first is drawn. */
const DIMENSIONS = /** @type {const} */ ([
  ["rate", "messages offered per second"],
  ["clients", "client processes"],
  ["inFlight", "messages in flight"],
]);

/** Draws growth, only where something besides size was varied. @param {State} state */
function drawGrowth(state) {
  const [dimension, title] = DIMENSIONS.find(([key]) => lineOver(state, key) !== undefined) ?? [];
  byId("growth").hidden = dimension === undefined;
  if (dimension === undefined || title === undefined) return clearChart("growth");
  const line = lineOver(state, dimension);
  const cells = cellsIn(state.placement).filter(
    (cell) =>
      line?.benchmarks.includes(cell.benchmark) &&
      cell.mode === state.mode &&
      cell.payload === state.payload &&
      !state.hidden.has(cell.name),
  );
  const metric = metricFor(cells);
  const values = distinct(cells.map((cell) => cell[dimension] ?? 0)).sort((a, b) => a - b);
  const names = distinct(cells.map((cell) => cell.name));
  const find = (/** @type {string} */ name, /** @type {number} */ value) =>
    cells.find((cell) => cell.name === name && (cell[dimension] ?? 0) === value);
  const series = names.map((name) => ({
    name,
    points: values.flatMap((value) => {
      const cell = find(name, value);
      return cell ? [withInterval(value, cell, metric)] : [];
    }),
  }));
  const x = /** @type {Axis} */ ({
    kind: values.includes(0) ? "linear" : "logarithmic",
    title,
    text: quantity,
    ticks: values,
  });
  const knees = (line?.knees ?? []).filter(({ name }) => names.includes(name));
  const marks = turnMarks(listTurns("growth", line, state), knees);
  byId("growth-finding").textContent = kneeSentence(knees);
  show("growth", `Cost by ${title} for ${names.join(", ")}`, series, x, valueAxis(metric), true, [marks]);
  const text = metric === "p50" ? duration : quantity;
  fillTable(
    "growth-table",
    ["transport", ...values.map((value) => quantity(value))],
    names.map((name) => [name, ...values.map((value) => valueText(find(name, value), metric, text))]),
  );
}

/**
 * Returns the point of a cell. One without a value breaks the line: joining its neighbours would invent one.
 * @param {number} x @param {Cell} cell @param {"p50" | "messagesPerSecond"} metric @returns {Point}
 */
function withInterval(x, cell, metric) {
  const y = metricOf(cell, metric);
  if (y === null) return { x, y: Number.NaN };
  const interval = metric === "p50" ? cell.p50Interval : cell.rateInterval;
  return interval ? { x, y, low: interval[0], high: interval[1] } : { x, y };
}

/**
 * @param {Cell | undefined} cell @param {"p50" | "messagesPerSecond"} metric
 * @param {(value: number) => string} text
 */
function valueText(cell, metric, text) {
  if (!cell) return ABSENT;
  const value = metricOf(cell, metric);
  if (value === null) return cell.status === "measured" ? ABSENT : cell.status.replace("-", " ");
  const range = metric === "p50" ? durationRange(cell.p50Interval, value) : quantityRange(cell.rateInterval, value);
  return range === ABSENT ? text(value) : `${text(value)} [${range}]`;
}

/**
 * @param {string} id @param {string} label @param {readonly import("./charts.js").Series[]} series
 * @param {Axis} x @param {Axis} y @param {boolean} lines @param {readonly object[]} [marks]
 */
function show(id, label, series, x, y, lines, marks = []) {
  const filled = series.filter((one) => one.points.some((point) => Number.isFinite(point.y)));
  const choices = filled.filter((one) => !isBaseline(one.name));
  const drawn = choices.length > 0 ? choices : filled;
  byId(`${id}-chart`).hidden = drawn.length === 0;
  byId(`${id}-caption`).replaceChildren(...(drawn.length === 0 ? [NOTHING] : notDrawn(filled, drawn, y)));
  if (drawn.length === 0) clearChart(id);
  else drawChart(id, label, drawn, x, y, lines, marks);
}

/**
 * Names what is not drawn, with its values, since paper has no table of them.
 *
 * @typedef {import("./charts.js").Series} Series
 * @param {readonly Series[]} all @param {readonly Series[]} drawn @param {Axis} y
 */
function notDrawn(all, drawn, y) {
  const left = all.filter((one) => !drawn.includes(one));
  if (left.length === 0) return [];
  const texts = left.map(({ name, points }) => {
    const values = points.map((point) => point.y).filter(Number.isFinite);
    const [low, high] = [y.text(Math.min(...values)), y.text(Math.max(...values))];
    return `${name} (baseline, ${low === high ? low : `${low} to ${high}`})`;
  });
  return [
    `Not drawn, since it would flatten the rest: ${texts.join(", ")}.`,
    element("span", { class: "screen" }, ' It is in "The same numbers as a table", below.'),
  ];
}

/** @param {string} name */
function isBaseline(name) {
  return view.names.some((entry) => entry.name === name && entry.baseline);
}
