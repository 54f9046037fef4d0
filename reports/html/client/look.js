import { view } from "./data.js";

// Eight colours that stay apart for colour-blind readers (after Okabe and Ito), and a second sign for everything:
// point shape and dash, so that a black-and-white print can be read too.
const POINTS = /** @type {const} */ (["circle", "rect", "triangle", "rectRot", "crossRot", "star", "cross"]);
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

/** @param {string} property */
export function cssColour(property) {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}

/** One look per row for the whole page, whatever is selected. @param {string} name */
export function lookOf(name) {
  const index = Math.max(
    0,
    view.names.findIndex((entry) => entry.name === name),
  );
  return {
    index,
    colour: cssColour(`--s${index % 8}`),
    point: POINTS[index % POINTS.length] ?? "circle",
    dash: DASHES[index % DASHES.length] ?? [],
  };
}
