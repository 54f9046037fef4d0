// Latency against a second cost: the plot, its sentence, its table, and what is not in it.
import { ABSENT } from "../../../harness/results/format.ts";
import { clearChart } from "./charts.js";
import { COSTS } from "./costs.js";
import { cellsOf, costsOf, metricFor, metricOf } from "./data.js";
import { byId, element, fillTable } from "./dom.js";
import { valueAxis } from "./figures.js";
import { NOTHING } from "./findings.js";
import { placed } from "./front.js";
import { drawScatter } from "./scatter.js";

/** @typedef {import("./data.js").State} State */
/** @typedef {import("./data.js").Cell} Cell */
/** @typedef {import("./front.js").Placed} Placed */
/** @typedef {import("./costs.js").Cost} Cost */

/** Largest number of names in one part of the sentence; the table has all. */
const MOST_IN_SENTENCE = 5;
const PLACES = { front: "on the front", open: "this run cannot tell" };

/**
 * Returns the drawing of the plot in two pieces, since comparing all pairs of rows takes as long as drawing.
 * @param {State} state
 */
export function axesOf(state) {
  /** @type {ReturnType<typeof spotsOf> | undefined} */
  let found;
  return [
    () => {
      found = spotsOf(state);
    },
    () => drawAxes(found ?? spotsOf(state)),
  ];
}

/** Returns the rows that have both figures, with their places, and what they were chosen from. @param {State} state */
function spotsOf(state) {
  const all = cellsOf(state);
  const metric = metricFor(all);
  const cells = all.filter((cell) => cell.payload === state.payload && !cell.baseline);
  const offered = COSTS.filter((cost) => cells.some((cell) => cost.of(cell).value !== null));
  const cost = offered.find(({ id }) => id === state.cost) ?? offered[0];
  const rows =
    cost === undefined ? [] : cells.map((cell) => ({ cell, cost: cost.of(cell), value: metricOf(cell, metric) }));
  const spots = rows.flatMap(({ cell, cost: { value: x, rounds }, value }) =>
    x === null || value === null
      ? []
      : [
          {
            ...{ name: cell.name, cell, x, xRounds: rounds, value, yRounds: costsOf(cell, metric) },
            y: metric === "p50" ? value : 1 / value,
          },
        ],
  );
  return { metric, offered, cost, rows, spots, places: placed(spots) };
}

/** @param {ReturnType<typeof spotsOf>} found */
function drawAxes({ metric, offered, cost, rows, spots, places }) {
  fillChoice(offered, cost);
  byId("axes").hidden = cost === undefined;
  if (cost === undefined) return clearChart("axes");
  const y = valueAxis(metric);
  byId("axes-chart").hidden = spots.length === 0;
  if (spots.length === 0) clearChart("axes");
  else {
    const interval = (/** @type {Cell} */ cell) => (metric === "p50" ? cell.p50Interval : cell.rateInterval);
    const marks = spots.map((spot, at) => ({
      ...{ name: spot.name, x: spot.x, y: spot.value, cost: spot.y, place: places[at]?.place ?? "open" },
      ...{ interval: interval(spot.cell), words: placeText(places[at]) },
    }));
    drawScatter(
      "axes",
      `${y.title} against ${cost.title} for ${spots.map(({ name }) => name).join(", ")}`,
      marks,
      cost,
      y,
    );
  }
  byId("axes-finding").textContent = spots.length === 0 ? NOTHING : sentence(places, cost, y.title);
  byId("axes-note").textContent = `${cost.note} ${metric === "p50" ? "Down" : "Up"} and to the left is better.`;
  const missing = rows.flatMap(({ cell, cost: { reason }, value }) =>
    reason !== "" || value === null ? [{ name: cell.name, reason: reason || cell.missing }] : [],
  );
  byId("axes-missing").replaceChildren(...missingItems(missing));
  fillTable(
    "axes-table",
    ["transport", cost.title, y.title, "place"],
    [...places.entries()].map(([at, one]) => {
      const { x, value } = spots[at] ?? { x: 0, value: 0 };
      return [one.spot.name, cost.text(x), y.text(value), placeText(one)];
    }),
  );
}

/** @param {readonly Cost[]} offered @param {Cost | undefined} chosen */
function fillChoice(offered, chosen) {
  const select = byId("axes-cost");
  if (!(select instanceof HTMLSelectElement)) return;
  select.replaceChildren(...offered.map(({ id, title }) => element("option", { value: id }, title)));
  select.value = chosen?.id ?? "";
  select.disabled = offered.length < 2;
}

/** @param {Placed | undefined} found */
function placeText(found) {
  if (found === undefined) return ABSENT;
  return found.place === "beaten" ? `beaten in both by ${found.by}` : PLACES[found.place];
}

/** @param {readonly Placed[]} places @param {Cost} cost @param {string} latency */
function sentence(places, { noun }, latency) {
  if (places.length === 1) return `Only ${places[0]?.spot.name} has both figures.`;
  const namesAt = (/** @type {Placed["place"]} */ place) =>
    places.filter((each) => each.place === place).map(({ spot }) => spot.name);
  const [front, open, beaten] = [namesAt("front"), namesAt("open"), namesAt("beaten")];
  const parts = [
    front.length === 0 ? "" : `On the front of ${latency} and ${noun}: ${listed(front)}.`,
    open.length === 0 ? "" : `This run cannot tell whether these are on the front: ${listed(open)}.`,
    beaten.length === 0 ? "" : `Another row is better in both than ${listed(beaten)}.`,
  ];
  return parts.filter(Boolean).join(" ");
}

/** @param {readonly string[]} names */
function listed(names) {
  const shown = names.slice(0, MOST_IN_SENTENCE).join(", ");
  return names.length > MOST_IN_SENTENCE ? `${shown} and ${names.length - MOST_IN_SENTENCE} more` : shown;
}

/** Lists each reason once, with the rows it is about. @param {readonly { name: string, reason: string }[]} missing */
function missingItems(missing) {
  const reasons = new Map(missing.map(({ reason }) => [reason, /** @type {string[]} */ ([])]));
  for (const { name, reason } of missing) reasons.get(reason)?.push(name);
  return [...reasons].map(([reason, names]) => element("li", {}, `Not drawn: ${names.join(", ")}: ${reason}.`));
}
