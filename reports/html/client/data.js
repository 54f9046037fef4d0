// Cells of what the reader has chosen, and their ranking.
import { rankByRounds } from "../../../harness/results/ranking.ts";

/** @typedef {import("../view.ts").View} View */
/** @typedef {import("../view.ts").ViewCell} Cell */
/**
 * Choices of the reader; `cost` is the second axis of the plot of two costs, empty for the first one there is.
 *
 * @typedef {{ placement: string, mode: string, benchmark: string, payload: number, hidden: Set<string>,
 *   cost: string }} State
 */
/** @typedef {"p50" | "messagesPerSecond"} Metric */
/**
 * @typedef {{ cell: Cell, value: number, ratio: number,
 *   interval: import("../../../harness/results/model.ts").Interval | null,
 *   standing: import("../../../harness/results/ranking.ts").Standing }} Ranked
 */

/** @type {Omit<View, "cells">} */
export const view = JSON.parse(document.getElementById("view")?.textContent ?? "{}");
/** @type {Map<string, readonly Cell[]>} */
const read = new Map();

/**
 * Returns the cells of a placement. Each has a text of its own, which is read when it is first asked for: all together
 * would keep the reader of a large report waiting.
 * @param {string} placement @returns {readonly Cell[]}
 */
export function cellsIn(placement) {
  const known = read.get(placement);
  if (known !== undefined) return known;
  const cells = JSON.parse(document.getElementById(`cells-${placement}`)?.textContent ?? "[]");
  read.set(placement, cells);
  return cells;
}

/** Returns what reads the placements that were not asked for, so that the first look at one takes no longer. */
export function readRest() {
  return view.placements
    .filter(({ id }) => !read.has(id))
    .map(
      ({ id }) =>
        () =>
          void cellsIn(id),
    );
}

/** @param {Cell} cell @param {Metric} metric */
export function metricOf(cell, metric) {
  return cell.status === "measured" ? cell[metric] : null;
}

/**
 * Returns p50 where the cells have round trips, messages per second for one-way models.
 * @param {readonly Cell[]} cells @returns {Metric}
 */
export function metricFor(cells) {
  return cells.some((cell) => cell.p50 !== null) ? "p50" : "messagesPerSecond";
}

/** Returns the cells of one placement, class and benchmark, all sizes. @param {State} state */
export function cellsOf(state) {
  return cellsIn(state.placement).filter(
    (cell) => cell.mode === state.mode && cell.benchmark === state.benchmark && !state.hidden.has(cell.name),
  );
}

/**
 * Sorts best first, with ratios to the best of those shown. Baselines are left out: they are never ranked.
 * @param {readonly Cell[]} cells @param {Metric} metric @returns {Ranked[]}
 */
export function rankCells(cells, metric) {
  const rows = cells.flatMap((cell) => {
    const value = cell.baseline ? null : metricOf(cell, metric);
    const costs = { typical: metric === "p50" ? (value ?? 0) : 1 / (value ?? 0), rounds: costsOf(cell, metric) };
    return value === null ? [] : [{ name: cell.name, cell, value, ...costs }];
  });
  return rankByRounds(rows).map(({ row: { cell, value }, comparison: { ratio, interval }, standing }, index) => ({
    ...{ cell, value, ratio, standing },
    interval: index === 0 ? null : interval,
  }));
}

/**
 * Returns the cost of the cell in each of its valid rounds.
 * @param {Cell} cell @param {Metric} metric @returns {Map<number, number>}
 */
export function costsOf(cell, metric) {
  return new Map(
    cell.trials.flatMap(({ round, valid, p50, rate }) => {
      const cost = metric === "p50" ? (p50 ?? 0) : 1 / (rate ?? 0);
      return valid && cost > 0 && cost < Number.POSITIVE_INFINITY ? [[round, cost]] : [];
    }),
  );
}

/** @template T @param {readonly T[]} values */
export function distinct(values) {
  return [...new Set(values)];
}
