/** @typedef {import("../view.ts").View} View */
/** @typedef {import("../view.ts").ViewCell} Cell */
/** @typedef {{ placement: string, mode: string, benchmark: string, payload: number, hidden: Set<string> }} State */
/** @typedef {"p50" | "messagesPerSecond"} Metric */
/** @typedef {{ cell: Cell, value: number, interval: readonly [number, number] | null, ratio: number, standing: string }} Ranked */

/** @type {View} */
export const view = JSON.parse(document.getElementById("view")?.textContent ?? "{}");

/** @param {Cell} cell @param {Metric} metric */
export function metricOf(cell, metric) {
  return cell.status === "measured" ? cell[metric] : null;
}

/** Round trips where the cells have any, messages per second for one-way models. @param {readonly Cell[]} cells @returns {Metric} */
export function metricFor(cells) {
  return cells.some((cell) => cell.p50 !== null) ? "p50" : "messagesPerSecond";
}

/** The cells of one placement, class and benchmark, all sizes. @param {State} state */
export function cellsOf(state) {
  return view.cells.filter(
    (cell) =>
      cell.placement === state.placement &&
      cell.mode === state.mode &&
      cell.benchmark === state.benchmark &&
      !state.hidden.has(cell.name),
  );
}

/**
 * Best first, with ratios to the best of those shown. Baselines are left out: they are never ranked.
 * @param {readonly Cell[]} cells @param {Metric} metric @returns {Ranked[]}
 */
export function rankCells(cells, metric) {
  const rows = cells
    .filter((cell) => !cell.baseline && metricOf(cell, metric) !== null)
    .map((cell) => ({
      cell,
      value: /** @type {number} */ (metricOf(cell, metric)),
      interval: metric === "p50" ? cell.p50Interval : cell.rateInterval,
    }))
    .sort(
      (a, b) => (metric === "p50" ? a.value - b.value : b.value - a.value) || a.cell.name.localeCompare(b.cell.name),
    );
  const best = rows[0];
  if (!best) return [];
  return rows.map((row) => ({
    ...row,
    ratio: metric === "p50" ? row.value / best.value : best.value / row.value,
    standing: row === best ? "best" : standing(row.interval, best.interval),
  }));
}

/** @param {readonly [number, number] | null} own @param {readonly [number, number] | null} best */
function standing(own, best) {
  if (!own || !best) return "too few trials to tell";
  return own[0] <= best[1] && best[0] <= own[1] ? "not distinguishable" : "";
}

/** @template T @param {readonly T[]} values */
export function distinct(values) {
  return [...new Set(values)];
}
