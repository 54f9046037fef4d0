// Colour and sign of each row.
import { view } from "./data.js";
import { signsOf } from "./signs.js";

/** @param {string} property */
export function cssColour(property) {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}

/** Returns the look of a row, the same on the whole page, whatever is selected. @param {string} name */
export function lookOf(name) {
  const index = Math.max(
    0,
    view.names.findIndex((entry) => entry.name === name),
  );
  const { colour, point, dash } = signsOf(index);
  return {
    ...{ index, className: `c${colour}`, point, dash },
    // Read when it is needed: each reading makes the browser style what was added before.
    get colour() {
      return cssColour(`--s${colour}`);
    },
  };
}
