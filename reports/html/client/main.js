// Starts the page: fills the form, draws, and draws again when the reader chooses.
import { bytes } from "../../../harness/results/format.ts";
import { axesOf } from "./axes.js";
import { resizeCharts } from "./charts.js";
import { drawChoice, loadChoice } from "./choice.js";
import { distinct, readRest, view } from "./data.js";
import { detailPieces } from "./details.js";
import { byId, element } from "./dom.js";
import { figuresOf } from "./figures.js";
import { offerToKeep } from "./keep.js";
import { drawLater, drawNow } from "./later.js";
import { drawRanking, swatch } from "./ranking.js";
import { choicesOf, followLinks, goToPlace, readHash, settle, sizesOf, writeHash } from "./state.js";

/** @typedef {import("./data.js").State} State */

/** Draws a choice; `last` is called when all is drawn. @param {State} state @param {() => void} [last] */
function draw(state, last = () => {}) {
  fillControls(state);
  drawRanking(state);
  const chosen = [() => loadChoice(state), () => drawChoice(state), ...axesOf(state), ...figuresOf(state), last];
  // The rest is not in sight. What a choice has dropped comes again with the next one.
  drawLater([...chosen, ...detailPieces(), ...readRest()]);
}

/** @param {State} state */
function fillControls(state) {
  const { placements, modes, benchmarks, cells } = choicesOf(state);
  const label = (/** @type {readonly { id: string, label: string }[]} */ list, /** @type {string} */ id) =>
    list.find((entry) => entry.id === id)?.label ?? id;
  fillSelect(
    "placement",
    placements.map((id) => [id, label(view.placements, id)]),
    state.placement,
  );
  fillSelect(
    "mode",
    modes.map((id) => [id, label(view.modes, id)]),
    state.mode,
  );
  fillSelect(
    "benchmark",
    benchmarks.map((id) => [id, id]),
    state.benchmark,
  );
  const shown = cells.filter((cell) => cell.benchmark === state.benchmark);
  const sizes = sizesOf(shown);
  fillSelect(
    "payload",
    sizes.map((size) => [String(size), shown.find(({ payload }) => payload === size)?.size ?? bytes(size)]),
    String(state.payload),
  );
  fillSubset(distinct(cells.map((cell) => cell.name)), state);
}

/** @param {string} name @param {readonly (readonly [string, string])[]} options @param {string} selected */
function fillSelect(name, options, selected) {
  const select = document.querySelector(`#controls select[name="${name}"]`);
  if (!(select instanceof HTMLSelectElement)) return;
  select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  select.value = selected;
  select.disabled = options.length < 2;
}

/**
 * Fills the list of transports. It stays in place while only ticks change, so that the keyboard focus stays too.
 * @param {readonly string[]} names @param {State} state
 */
function fillSubset(names, state) {
  const fieldset = byId("subset");
  const present = [...fieldset.querySelectorAll("input")];
  if (present.map((box) => box.value).join("\n") !== names.join("\n")) {
    for (const old of fieldset.querySelectorAll("label")) old.remove();
    fieldset.append(
      ...names.map((name) =>
        element(
          "label",
          {},
          element("input", { type: "checkbox", value: name }),
          swatch(name),
          element("code", {}, name),
        ),
      ),
    );
  }
  for (const box of fieldset.querySelectorAll("input")) box.checked = !state.hidden.has(box.value);
}

/** @returns {State} */
function readControls() {
  const value = (/** @type {string} */ name) => {
    const select = document.querySelector(`#controls select[name="${name}"]`);
    return select instanceof HTMLSelectElement ? select.value : "";
  };
  const before = readHash();
  const hidden = new Set(before.hidden);
  for (const box of byId("subset").querySelectorAll("input")) {
    if (box.checked) hidden.delete(box.value);
    else hidden.add(box.value);
  }
  return settle({
    placement: value("placement"),
    mode: value("mode"),
    benchmark: value("benchmark"),
    payload: Number(value("payload")),
    hidden,
    cost: before.cost,
  });
}

/** Draws charts in the light colours for printing, since paper is white, and again afterwards. */
function followThemeAndPaper() {
  const redraw = () => draw(readHash());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.theme = "light";
    redraw();
    drawNow();
    resizeCharts(true);
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.theme;
    redraw();
    drawNow();
    resizeCharts(false);
  });
}

offerToKeep();
if (view.placements.length > 0) {
  byId("controls").addEventListener("change", () => {
    const state = readControls();
    writeHash(state);
    draw(state);
  });
  byId("axes-cost").addEventListener("change", ({ target }) => {
    const state = { ...readHash(), cost: target instanceof HTMLSelectElement ? target.value : "" };
    writeHash(state);
    for (const piece of axesOf(state)) piece();
  });
  addEventListener("hashchange", () => draw(readHash()));
  followThemeAndPaper();
  followLinks();
  // Each in a task of its own: the script, reading the cells, the first drawing.
  drawLater([() => void readHash(), () => draw(readHash(), goToPlace)]);
}
