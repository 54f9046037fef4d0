// Costs of a row beside its latency, and the reason where a row has none.
import { bytes, duration } from "../../../harness/results/format.ts";
import { cellsIn, costsOf } from "./data.js";

/** @typedef {import("./data.js").Cell} Cell */
/** @typedef {{ value: number | null, rounds: ReadonlyMap<number, number>, reason: string }} Found */
/**
 * @typedef {{ id: string, title: string, noun: string, note: string, text: (value: number) => string,
 *   of: (cell: Cell) => Found }} Cost
 */

const FEW_SERVERS = "A comparison reads it once, and only for the pick and its best rivals.";
const NOT_STARTED = "this run did not start its server for this figure";

/** Costs that a reader can choose, the first one unless the address names another. @type {readonly Cost[]} */
export const COSTS = [
  {
    id: "cpu",
    title: "CPU time per message",
    noun: "CPU time",
    note: "CPU time of both ends together, per message.",
    text: duration,
    of: (cell) =>
      own(cell, cell.cpuNs, ({ cpuNs }) => cpuNs, "the system of this run has no figure of its CPU time for this row"),
  },
  {
    id: "memory",
    title: "peak memory of both ends",
    noun: "memory",
    note: "Peak memory of both processes over their lives, Node included; a row inherits that of the rows before it.",
    text: bytes,
    of: (cell) =>
      own(
        cell,
        cell.peakBytes,
        ({ peakBytes }) => peakBytes,
        "the system of this run has no figure of its memory for this row",
      ),
  },
  {
    id: "start",
    title: "start of the server to its first reply",
    noun: "start-up",
    note: `Time from the start of a server process to its first reply. ${FEW_SERVERS}`,
    text: duration,
    of: (cell) => fromBenchmark(cell, "cold-start", ({ p50 }) => p50),
  },
  {
    id: "server",
    title: "memory of the server side with one client",
    noun: "server memory",
    note: `Private memory of the server side with one client. ${FEW_SERVERS}`,
    text: bytes,
    of: (cell) => fromBenchmark(cell, "clients-memory", ({ serverBytes }) => serverBytes),
  },
];

/**
 * @param {Cell} cell @param {number | null | undefined} value
 * @param {(trial: Cell["trials"][number]) => number | null | undefined} costOf @param {string} lack
 * @returns {Found}
 */
function own(cell, value, costOf, lack) {
  if (cell.status !== "measured") return { value: null, rounds: new Map(), reason: cell.missing };
  const rounds = new Map(
    cell.trials.flatMap((trial) => {
      const cost = trial.valid ? costOf(trial) : null;
      return cost ? [[trial.round, cost]] : [];
    }),
  );
  return { value: value || null, rounds, reason: value ? "" : lack };
}

/**
 * Reads a cost from the row of another benchmark, which has sizes of its own.
 *
 * @param {Cell} cell @param {string} benchmark @param {(cell: Cell) => number | null | undefined} figureOf
 * @returns {Found}
 */
function fromBenchmark({ name, placement, mode }, benchmark, figureOf) {
  const row = cellsIn(placement).find((one) => one.family === benchmark && one.name === name && one.mode === mode);
  if (row === undefined) return { value: null, rounds: new Map(), reason: NOT_STARTED };
  const value = row.status === "measured" ? figureOf(row) : null;
  return { value: value || null, rounds: costsOf(row, "p50"), reason: value ? "" : row.missing };
}
