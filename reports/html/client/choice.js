// The answer among the rows that the reader has left, by the very rule of the pick.
import { pickAmong } from "../../../harness/pick/among.ts";
import { rowName } from "../../labels.ts";
import { view } from "./data.js";
import { byId, element } from "./dom.js";

/** @typedef {import("./data.js").State} State */
/** @typedef {import("../../../harness/pick/among.ts").Answered} Answered */
/** @typedef {NonNullable<Answered["pick"]>} Pick */

/** Largest number of names in a sentence. */
const MOST_HIDDEN = 6;
const OTHER_RULE =
  "The answer at the top is for all rows. Another version of ipcmark made this report, so this page does not give it " +
  "again for some of them.";

// The rule names `local-socket` by the platform of the run.
Reflect.set(globalThis, "process", { platform: view.platform });

/** @type {Answered | "none" | "other" | undefined} */
let stored;
/** @type {{ key: string, pick: Pick | null } | undefined} */
let last;

/**
 * Returns the pick among the rows that are not hidden; null where none can be picked.
 * @param {Answered} report @param {Set<string>} hidden
 */
function pickWithout(report, hidden) {
  const key = JSON.stringify([...hidden].sort());
  if (last?.key !== key) last = { key, pick: pickAmong(report, (row) => !hidden.has(rowName(row))) };
  return last.pick;
}

const choices = () => view.names.filter(({ baseline }) => !baseline).map(({ name }) => name);

/** @param {State} state */
const hiddenIn = (state) => choices().filter((name) => state.hidden.has(name));

/**
 * Reads what the rule needs, once some rows are hidden. Called in a task of its own, since it may have megabytes.
 * @param {State} state
 */
export function loadChoice(state) {
  if (hiddenIn(state).length === 0) return;
  stored ??= /** @type {Answered | "none" | "other"} */ (JSON.parse(byId("answerable").textContent ?? '"none"'));
}

/** Shows the answer for the rows that are left, while some are hidden. @param {State} state */
export function drawChoice(state) {
  const box = byId("choice");
  const hidden = hiddenIn(state);
  box.hidden = hidden.length === 0 || stored === undefined || stored === "none";
  if (hidden.length === 0 || stored === undefined || stored === "none") return box.replaceChildren();
  if (stored === "other") return box.replaceChildren(element("p", {}, OTHER_RULE));
  const pick = pickWithout(stored, state.hidden);
  const isMany = hidden.length > MOST_HIDDEN;
  const names = isMany ? `${hidden.length} of ${choices().length} rows` : hidden.join(", ");
  const head = `Without ${names}, the same question has this answer:`;
  box.replaceChildren(element("p", { class: "note" }, head), ...answer(pick));
}

/** @param {Pick | null} pick */
function answer(pick) {
  if (pick === null) return [element("p", { class: "finding" }, "None of these rows can be picked for it.")];
  const parts = [element("p", { class: "finding" }, pick.sentence)];
  const { ties, immaterial = [] } = pick;
  if (ties.length > 0 && pick.verdict !== "cannot-tell")
    parts.push(line("Not distinguishable from the pick at 95 %", ties));
  if (immaterial.length > 0)
    parts.push(line("Told from the pick, without a difference that is shown to matter", immaterial));
  return parts;
}

/** @param {string} words @param {readonly string[]} ids */
function line(words, ids) {
  return element("p", { class: "tie" }, element("b", {}, `${words}:`), ` ${ids.join(", ")}.`);
}
