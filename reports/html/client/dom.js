// Elements and text nodes.
/** @typedef {Node | string | null} Child */

/**
 * Creates an element. Text always becomes a text node: nothing from a report is ever parsed as markup.
 * @param {string} tag @param {Record<string, string>} [attributes] @param {...Child} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** @param {string} tag @param {Record<string, string | number>} attributes @param {...Node} children */
export function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found;
}

/**
 * Fills the table with the numbers behind a canvas. The first column names the row.
 * @param {string} id @param {readonly string[]} head @param {readonly (readonly string[])[]} rows
 */
export function fillTable(id, head, rows) {
  byId(id).replaceChildren(
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...head.map((text, at) => element("th", at === 0 ? { scope: "col", class: "text" } : { scope: "col" }, text)),
        ),
      ),
      element(
        "tbody",
        {},
        ...rows.map(([first = "", ...rest]) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, element("code", {}, first)),
            ...rest.map((text) => element("td", {}, text)),
          ),
        ),
      ),
    ),
  );
}
