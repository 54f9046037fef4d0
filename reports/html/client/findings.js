// Sentences on the chosen cells: leaders, failures, warnings.
import { bytes } from "../../../harness/results/format.ts";
import { distinct, rankCells } from "./data.js";

/** @typedef {import("./data.js").State} State */
/** @typedef {import("./data.js").Cell} Cell */
/** @typedef {import("./data.js").Metric} Metric */
/** @typedef {{ from: number, to: number, best: string, tied: readonly string[], told: boolean }} Lead */

export const NOTHING = "Nothing to draw for this selection.";
/** Largest number of names in a sentence; more would be the whole field, which the ranking shows. */
const MOST_NAMED = 3;
const CANNOT_TELL = "This run cannot tell whether the best changes with size.";

/**
 * Returns each warning once, with the rows it is about.
 * @param {readonly Cell[]} cells @param {readonly string[]} [ids] only these @returns {string[]}
 */
export function mergedWarnings(cells, ids) {
  const textsOf = (/** @type {Cell} */ cell) =>
    cell.warnings.filter(({ id }) => ids === undefined || ids.includes(id)).map(({ text }) => text);
  return distinct(cells.flatMap(textsOf)).map((text) => {
    const names = distinct(cells.filter((cell) => textsOf(cell).includes(text)).map((cell) => cell.name));
    return `${text} (${names.join(", ")})`;
  });
}

/** @param {readonly Cell[]} cells */
export function failures(cells) {
  return cells
    .filter((cell) => cell.status === "failed")
    .map((cell) => `${cell.name} failed at ${cell.size}: ${cell.reason || "no reason recorded"}.`);
}

/**
 * Names the leader at each size, and states whether it changes as far as the run can show.
 * @param {readonly Cell[]} cells @param {readonly number[]} sizes @param {Metric} metric @param {State} state
 */
export function leaders(cells, sizes, metric, state) {
  /** @type {Lead[]} */
  const leads = sizes.flatMap((size) => {
    const [first, ...others] = rankCells(
      cells.filter((cell) => cell.payload === size),
      metric,
    );
    const tied = others.filter((row) => row.standing !== "behind").map((row) => row.cell.name);
    return first ? [{ from: size, to: size, best: first.cell.name, tied, told: first.standing === "best" }] : [];
  });
  if (leads.length === 0) return NOTHING;
  if (sizes.length < 2) return `Only one size was measured for ${state.benchmark}.`;
  const parts = runsOf(leads).map(
    (lead) =>
      `${lead.from === lead.to ? bytes(lead.from) : `${bytes(lead.from)} to ${bytes(lead.to)}`}: ${named(lead)}`,
  );
  return `${verdictOn(leads)} ${metric === "p50" ? "Lowest" : "Highest"} at ${parts.join("; ")}.`;
}

/** Judges whether the best changes: proven only if no row may lead at every size. @param {readonly Lead[]} leads */
function verdictOn(leads) {
  if (leads.some(({ told }) => !told)) return CANNOT_TELL;
  if (distinct(leads.map((lead) => lead.best)).length === 1)
    return leads.some(({ tied }) => tied.length > 0)
      ? "Nothing shows that the best changes with size."
      : "The best is the same at every size.";
  const mayLead = leads.map(({ best, tied }) => [best, ...tied]);
  const everywhere = mayLead.reduce((left, names) => left.filter((name) => names.includes(name)));
  return everywhere.length > 0 ? CANNOT_TELL : "The best changes with size.";
}

/** Joins neighbouring sizes with the same leader and ties. @param {readonly Lead[]} leads */
function runsOf(leads) {
  /** @type {Lead[]} */
  const runs = [];
  for (const lead of leads) {
    const last = runs.at(-1);
    if (last && named(last) === named(lead) && last.tied.join() === lead.tied.join()) last.to = lead.to;
    else runs.push({ ...lead });
  }
  return runs;
}

/** @param {Lead} lead */
function named({ best, tied, told }) {
  if (!told) return "too few rounds to tell";
  if (tied.length === 0) return best;
  return `${best} (tie with ${tied.length > MOST_NAMED ? `${tied.length} others` : tied.join(", ")})`;
}
