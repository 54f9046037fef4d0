// The table of every row in detail, in pieces: a large report has thousands of rows.
import { byId, element } from "./dom.js";

/** Number of rows that are added in one task. */
const ROWS_AT_ONCE = 100;
const TEXT_COLUMNS = 4;

/** Rows that are still to be added. @type {string[][] | undefined} */
let left;

/** Returns what adds the rows that are still missing. @returns {(() => void)[]} */
export function detailPieces() {
  const missing = left?.length ?? Number(byId("details-rows").dataset["rows"]);
  return Array.from({ length: Math.ceil(missing / ROWS_AT_ONCE) }, () => addRows);
}

function addRows() {
  left ??= /** @type {string[][]} */ (JSON.parse(byId("details-data").textContent ?? "[]"));
  const rows = left.splice(0, ROWS_AT_ONCE);
  byId("details-rows").append(...rows.map(([name = "", ...texts]) => row(name, texts)));
}

/** @param {string} name @param {readonly string[]} texts */
function row(name, texts) {
  const head = element("th", { scope: "row", class: "text" }, element("code", {}, name));
  const classOf = (/** @type {number} */ at) =>
    at === texts.length - 1 ? { class: "text prose" } : at < TEXT_COLUMNS - 1 ? { class: "text" } : {};
  return element("tr", {}, head, ...texts.map((text, at) => element("td", classOf(at), text)));
}
