// One chart: axes, series, intervals, and its text.
import { byId } from "./dom.js";
import { fitted } from "./fit.js";
import { cssColour, lookOf } from "./look.js";
import { roomyTicks, roundTicks } from "./ticks.js";

/** @typedef {{ x: number, y: number, low?: number, high?: number, label?: string }} Point */
/** @typedef {{ name: string, points: Point[], invalid?: boolean }} Series */
/**
 * @typedef {{ kind: "logarithmic" | "linear", title: string, text: (value: number) => string,
 *   ticks?: readonly number[] }} Axis
 */

const ChartJs = /** @type {typeof import("chart.js").Chart} */ (Reflect.get(globalThis, "Chart"));
/** @type {Map<string, import("chart.js").Chart>} */
const charts = new Map();
const NARROW = 560;
const LABEL_FONT = "12px ui-sans-serif, system-ui, sans-serif";
/** Space from the ends of the lines to the beginnings of the names, px. */
const LABEL_GAP = 11;
/** Largest share of the width for names: the lines keep most of it, however long a name is. */
const LABEL_SHARE = 0.25;

/** Draws 95 % intervals as whiskers; Chart.js has none of its own. */
const whiskers = {
  id: "whiskers",
  /** @param {import("chart.js").Chart} chart */
  beforeDatasetsDraw(chart) {
    const { ctx } = chart;
    chart.data.datasets.forEach((dataset, at) => {
      ctx.save();
      ctx.strokeStyle = String(dataset.borderColor);
      ctx.globalAlpha = 0.65;
      ctx.lineWidth = 1.25;
      for (const raw of dataset.data) {
        const point = /** @type {Point} */ (raw);
        if (point.low === undefined || point.high === undefined || !chart.isDatasetVisible(at)) continue;
        const x = chart.scales.x?.getPixelForValue(point.x) ?? 0;
        const top = chart.scales.y?.getPixelForValue(point.high) ?? 0;
        const bottom = chart.scales.y?.getPixelForValue(point.low) ?? 0;
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, bottom);
        for (const y of [top, bottom]) {
          ctx.moveTo(x - 4, y);
          ctx.lineTo(x + 4, y);
        }
        ctx.stroke();
      }
      ctx.restore();
    });
  },
};

/** Writes names at the ends of lines, pushed apart where they would overlap, so that no legend has to be matched. */
const endLabels = {
  id: "endLabels",
  /** @param {import("chart.js").Chart} chart */
  afterDatasetsDraw(chart) {
    if (chart.width < NARROW) return;
    const { ctx, chartArea } = chart;
    const labels = chart.data.datasets
      .map((dataset, at) => ({
        name: dataset.label ?? "",
        colour: String(dataset.borderColor),
        end: chart.getDatasetMeta(at).data.findLast((point) => Number.isFinite(point.y)),
      }))
      .flatMap(({ name, colour, end }) => (end ? [{ name, colour, x: end.x, y: end.y, at: end.y }] : []))
      .sort((a, b) => a.y - b.y);
    const step = 14;
    labels.forEach((label, index) => {
      label.at = Math.max(label.y, (labels[index - 1]?.at ?? Number.NEGATIVE_INFINITY) + step);
    });
    for (let index = labels.length - 1, limit = chartArea.bottom; index >= 0; index--, limit -= step) {
      const label = labels[index];
      if (label && label.at > limit) label.at = limit;
    }
    ctx.save();
    ctx.font = LABEL_FONT;
    ctx.textBaseline = "middle";
    // With more names than there is room for, those above the plot are left to the table.
    for (const { name, colour, x, y, at } of labels.filter((label) => label.at >= chartArea.top)) {
      ctx.strokeStyle = colour;
      ctx.globalAlpha = 0.4;
      ctx.beginPath();
      ctx.moveTo(x + 6, y);
      ctx.lineTo(chartArea.right + 8, at);
      ctx.stroke();
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour;
      const room = chart.width - chartArea.right - LABEL_GAP;
      ctx.fillText(
        fitted(name, room, (text) => ctx.measureText(text).width),
        chartArea.right + LABEL_GAP,
        at,
      );
    }
    ctx.restore();
  },
};

/**
 * Returns the width of the longest name, so that none is cut unless it would take a quarter of the figure. It is that
 * of the chart as it is drawn: paper and the screen it was printed from differ in width.
 * @param {import("chart.js").Chart} chart @param {readonly Series[]} series
 */
function labelRoom({ width, ctx }, series) {
  if (width < NARROW) return 12;
  ctx.save();
  ctx.font = LABEL_FONT;
  const widest = Math.max(...series.map(({ name }) => ctx.measureText(name).width));
  ctx.restore();
  return Math.min(Math.ceil(widest) + 2, Math.floor(width * LABEL_SHARE)) + LABEL_GAP;
}

/**
 * Draws or redraws one figure. Lines stay unbroken only where they mean something: trials are points.
 * @param {string} id @param {string} label @param {readonly Series[]} series
 * @param {Axis} x @param {Axis} y @param {boolean} lines @param {readonly object[]} [marks] plugins that draw over it
 */
export function drawChart(id, label, series, x, y, lines, marks = []) {
  const canvas = /** @type {HTMLCanvasElement} */ (byId(`${id}-chart`));
  canvas.setAttribute("aria-label", label);
  replaceChart(id, {
    type: "line",
    data: { datasets: series.map((one) => dataset(one, lines, one.points.length)) },
    plugins: [whiskers, endLabels, ...marks],
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      layout: {
        padding: (/** @type {{ chart: import("chart.js").Chart }} */ { chart }) => ({
          top: 8,
          right: labelRoom(chart, series),
        }),
      },
      interaction: { mode: "nearest", intersect: false },
      scales: { x: axis(x), y: { ...axis(y), ...reach(series) } },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: () => "",
            label: (/** @type {{ dataset: { label?: string }, raw: unknown }} */ item) => tip(item, x, y),
          },
        },
      },
    },
  });
}

/** Draws a chart in the place of the one before. @param {string} id @param {object} config */
export function replaceChart(id, config) {
  charts.get(id)?.destroy();
  const canvas = /** @type {HTMLCanvasElement} */ (byId(`${id}-chart`));
  charts.set(
    id,
    new ChartJs(canvas, /** @type {import("chart.js").ChartConfiguration} */ (/** @type {unknown} */ (config))),
  );
}

/** @param {string} id */
export function clearChart(id) {
  charts.get(id)?.destroy();
  charts.delete(id);
}

/** Size of a chart on paper, px: as wide as A4 and Letter allow, as high as `print.css` makes its box. */
const PAPER = /** @type {const} */ ([680, 196]);

/** Fits the charts to the paper, whose layout is not there yet when printing starts; or to the screen again. */
export function resizeCharts(/** @type {boolean} */ toPaper) {
  for (const chart of charts.values()) chart.resize(...(toPaper ? PAPER : []));
}

/** @param {Series} series @param {boolean} lines @param {number} points */
function dataset(series, lines, points) {
  const look = lookOf(series.name);
  return {
    label: series.name,
    data: series.points,
    parsing: false,
    borderColor: look.colour,
    backgroundColor: look.colour,
    borderDash: look.dash,
    borderWidth: 1.75,
    pointStyle: look.point,
    // Long curves show every sixth sign: enough to distinguish them without turning the line into a chain.
    pointRadius: (/** @type {{ dataIndex: number }} */ at) =>
      points > 20 && (at.dataIndex + look.index) % 6 !== 0 ? 0 : 4,
    pointHoverRadius: 6,
    showLine: lines,
    tension: 0,
  };
}

/** @param {Axis} axis */
export function axis({ kind, title, text, ticks }) {
  const ink = cssColour("--quiet");
  return {
    type: kind,
    title: { display: true, text: title, color: ink },
    grid: { color: cssColour("--grid"), tickLength: 4 },
    border: { color: ink },
    grace: kind === "linear" ? "8%" : undefined,
    ticks: {
      color: ink,
      maxRotation: 0,
      autoSkipPadding: 12,
      callback: (/** @type {number} */ value) => plain(text(value)),
    },
    afterBuildTicks: (/** @type {import("chart.js").Scale} */ scale) => {
      const built = ticks ?? scale.ticks.map(({ value }) => value);
      if (ticks === undefined && kind === "linear") return;
      const wanted = ticks === undefined ? roundTicks(built) : built;
      scale.ticks = roomyTicks(wanted, scale, kind === "logarithmic").map((value) => ({ value }));
    },
  };
}

/** Returns the range that includes the whiskers, which Chart.js ignores. @param {readonly Series[]} series */
function reach(series) {
  const points = series.flatMap((one) => one.points).filter((point) => Number.isFinite(point.y));
  return {
    suggestedMin: Math.min(...points.map((point) => point.low ?? point.y)) * 0.93,
    suggestedMax: Math.max(...points.map((point) => point.high ?? point.y)) * 1.07,
  };
}

/** Removes zeros behind the point, since a tick is exact: `20 µs`, not `20.0 µs`. @param {string} text */
function plain(text) {
  return text.replace(/\.0+(?= |$)/, "");
}

/** @param {{ dataset: { label?: string }, raw: unknown }} item @param {Axis} x @param {Axis} y */
function tip(item, x, y) {
  const point = /** @type {Point} */ (item.raw);
  const interval =
    point.low === undefined || point.high === undefined ? "" : ` (95 %: ${y.text(point.low)} to ${y.text(point.high)})`;
  const name = point.label ? `, ${point.label}` : "";
  return `${item.dataset.label}, ${x.text(point.x)}: ${y.text(point.y)}${interval}${name}`;
}
