// What the reader has chosen, and its form behind `#` in the address.
import { cellsIn, distinct, view } from "./data.js";

/** @typedef {import("./data.js").State} State */

/** Returns the choices for a placement and class. @param {{ placement: string, mode: string }} state */
export function choicesOf(state) {
  const placements = view.placements.map(({ id }) => String(id));
  const here = cellsIn(state.placement);
  const modes = view.modes.map(({ id }) => String(id)).filter((id) => here.some((cell) => cell.mode === id));
  const mine = here.filter((cell) => cell.mode === state.mode);
  return { placements, modes, benchmarks: distinct(mine.map((cell) => cell.benchmark)), cells: mine };
}

/**
 * Returns a state that exists, near the one asked for: a link made for another report must still open.
 * @param {State} asked @returns {State}
 */
export function settle(asked) {
  const placement = oneOf(
    asked.placement,
    view.placements.map(({ id }) => String(id)),
    view.start.placement,
  );
  const mode = oneOf(asked.mode, choicesOf({ placement, mode: "" }).modes, view.start.mode);
  const { benchmarks, cells } = choicesOf({ placement, mode });
  const benchmark = oneOf(asked.benchmark, benchmarks, "round-trip");
  const sizes = sizesOf(cells.filter((cell) => cell.benchmark === benchmark));
  const payload = Number(oneOf(String(asked.payload), sizes.map(String), String(view.start.payload)));
  const hidden = new Set(view.names.map(({ name }) => name).filter((name) => asked.hidden.has(name)));
  return { placement, mode, benchmark, payload, hidden, cost: asked.cost };
}

/** @param {readonly { payload: number }[]} cells */
export function sizesOf(cells) {
  return distinct(cells.map((cell) => cell.payload)).sort((a, b) => a - b);
}

/** @param {string} wanted @param {readonly string[]} possible @param {string} otherwise */
function oneOf(wanted, possible, otherwise) {
  if (possible.includes(wanted)) return wanted;
  return possible.includes(otherwise) ? otherwise : (possible[0] ?? "");
}

/** @returns {State} */
export function readHash() {
  const hash = new URLSearchParams(location.hash.slice(1));
  return settle({
    placement: hash.get("placement") ?? "",
    mode: hash.get("mode") ?? "",
    benchmark: hash.get("benchmark") ?? "",
    payload: Number(hash.get("payload") ?? Number.NaN),
    hidden: new Set((hash.get("hide") ?? "").split(",").filter((name) => name !== "")),
    cost: hash.get("cost") ?? "",
  });
}

/**
 * Makes an entry of the history, so that "back" returns to the choice before.
 * @param {State} state @param {string} [place] id of the element that a link has led to
 */
export function writeHash(state, place) {
  const hash = new URLSearchParams({
    placement: state.placement,
    mode: state.mode,
    benchmark: state.benchmark,
    payload: String(state.payload),
  });
  if (state.hidden.size > 0) hash.set("hide", [...state.hidden].join(","));
  if (state.cost !== "") hash.set("cost", state.cost);
  if (place !== undefined) hash.set("at", place);
  if (location.hash !== `#${hash}`) history.pushState(null, "", `#${hash}`);
}

/** Follows links within the page without losing the choice, which the address has too. */
export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="#"]') : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const place = (link.getAttribute("href") ?? "").slice(1);
    writeHash(readHash(), place);
    goTo(place);
  });
}

/** Shows the element that a link had led to when the address was made. */
export function goToPlace() {
  goTo(new URLSearchParams(location.hash.slice(1)).get("at") ?? "");
}

/** Shows an element, and gives it the focus, so that the next Tab goes on from there. @param {string} id */
function goTo(id) {
  const target = document.getElementById(id);
  if (target === null) return;
  for (let box = target.closest("details"); box; box = box.parentElement?.closest("details") ?? null) box.open = true;
  target.scrollIntoView();
  if (target.tabIndex < 0) target.setAttribute("tabindex", "-1");
  target.focus({ preventScroll: true });
}
