import type { Change, Changes, ComparedCell } from "./changes.ts";
import type { CellFields } from "./measurement.ts";
import type { Interval, MeasuredRow, Measurement, Report } from "./model.ts";
import { median } from "./quantiles.ts";
import { type Rounds, roundsOf } from "./ranking.ts";
import { compareUnpaired } from "./unpaired.ts";

const CONFIDENCE = 0.95;

/**
 * Compares the cells that two runs have in common, and names the others with the reason. Rounds of two runs are no
 * pairs, since they were measured at different times, so the intervals are unpaired. Each cost is divided by the frozen
 * echo of its own round and placement, if every round of both runs has one.
 *
 * @param name file of the earlier report
 * @param machine sentence on machines that differ
 */
export function changesSince(before: Report, now: Report, name: string, machine?: string): Changes {
  const [earlier, later] = [cellsOf(before), cellsOf(now)];
  const [earlierRows, laterRows] = [rowsByKey(before), rowsByKey(now)];
  const common = [...later.keys()].filter((key) => earlier.has(key)).length;
  const confidence = 1 - (1 - CONFIDENCE) / Math.max(1, common);
  const controls = [controlsOf(before), controlsOf(now)] as const;
  const compared = [...later].map(([key, cell]): Change => {
    const was = earlier.get(key);
    if (was === undefined) return uncompared(cell, "the earlier run", earlierRows.get(key));
    return compare([was, cell], controls, confidence);
  });
  const gone = [...earlier].flatMap(([key, cell]) =>
    later.has(key) ? [] : [uncompared(cell, "this run", laterRows.get(key))],
  );
  const notes = [...(machine === undefined ? [] : [machine]), ...notesOn(before, now)];
  const rows = [...compared, ...gone];
  return { name, startedAt: before.startedAt, pick: pickChange(before, now), notes, rows };
}

type Controls = ReadonlyMap<string, ReadonlyMap<number, number>>;

function compare(
  cells: readonly [before: MeasuredRow, now: MeasuredRow],
  controls: readonly [before: Controls, now: Controls],
  confidence: number,
): ComparedCell {
  const [, cell] = cells;
  const costs = cells.map(costsOf) as [Rounds, Rounds];
  const ofRounds = controls.map((each) => each.get(cell.placement));
  const isOverControl = costs.every((each, run) => isCovered(each, ofRounds[run]));
  const [was, is] = costs.map((each, run) =>
    [...each].map(([round, cost]) => (isOverControl ? cost / (ofRounds[run]?.get(round) ?? 1) : cost)),
  ) as [number[], number[]];
  const { ratio, interval } = compareUnpaired(is, was, confidence);
  return {
    ...fieldsOf(cell),
    verdict: verdictOf(interval),
    pairing: isOverControl ? "unpaired-over-control" : "unpaired",
    rounds: [was.length, is.length],
    beforeNs: median([...costs[0].values()]),
    nowNs: median([...costs[1].values()]),
    ratio,
    interval,
  };
}

function verdictOf(interval: Interval | null): ComparedCell["verdict"] {
  if (interval === null) return "not-told-apart";
  return interval[0] > 1 ? "slower" : interval[1] < 1 ? "faster" : "not-told-apart";
}

function uncompared(cell: MeasuredRow, run: string, other: Measurement | undefined): Change {
  const failure = other === undefined || other.status === "measured" ? undefined : other.reason;
  const reason = failure === undefined ? `${run} did not measure it` : `${run} has no figure of it: ${failure}`;
  return { ...fieldsOf(cell), verdict: "not-comparable", reason };
}

/** Returns the fields of a cell that both runs state in the same words. */
function fieldsOf(row: MeasuredRow): CellFields {
  const { benchmark, transport, mode, placement, payloadBytes, inFlight, clients, ratePerSecond, codec, peer } = row;
  const cell = { benchmark, transport, mode, placement, payloadBytes, inFlight, clients, ratePerSecond, codec, peer };
  const rest = OPTIONAL.filter((name) => row[name] !== undefined).map((name) => [name, row[name]]);
  return { ...cell, ...Object.fromEntries(rest) };
}

const OPTIONAL = ["corpus", "client", "arrivals", "batched", "mix", "workMicros", "recorded"] as const;

function costsOf(row: MeasuredRow): Rounds {
  return roundsOf([row], ({ latencyNs, messagesPerSecond }) => latencyNs?.p50 ?? 1e9 / messagesPerSecond);
}

function cellsOf({ measurements }: Report): Map<string, MeasuredRow> {
  const measured = measurements.filter((row) => row.status === "measured").filter((row) => costsOf(row).size > 0);
  return new Map(measured.map((row) => [keyOf(row), row]));
}

/** Returns the first row of each key, whether it has figures or not. */
function rowsByKey({ measurements }: Report): Map<string, Measurement> {
  return new Map(measurements.toReversed().map((row) => [keyOf(row), row]));
}

/** Returns everything that makes a cell comparable; versions of languages may differ. */
function keyOf(row: Measurement): string {
  const { benchmark, transport, mode, placement, payloadBytes, inFlight, clients, ratePerSecond, codec } = row;
  const { corpus, peer, client, arrivals, batched, mix, workMicros, recorded } = row;
  const size = corpus === undefined ? payloadBytes : corpus;
  const places = [benchmark, transport, mode, placement, size, peer?.language ?? "node", client?.language ?? "node"];
  const load = [inFlight, clients, ratePerSecond, codec, arrivals, batched, mix, workMicros, recorded?.sha256];
  return JSON.stringify([places, ...load]);
}

/** Returns the p50 of the frozen echo by placement and round. */
function controlsOf({ rounds = [] }: Report): Controls {
  const found = new Map<string, Map<number, number>>();
  for (const { round, controls } of rounds)
    for (const { placement, p50 } of controls ?? [])
      found.set(placement, (found.get(placement) ?? new Map<number, number>()).set(round, p50));
  return found;
}

function isCovered(costs: Rounds, controls: ReadonlyMap<number, number> | undefined): boolean {
  return controls !== undefined && [...costs.keys()].every((round) => (controls.get(round) ?? 0) > 0);
}

/** Returns what else differs between the runs and weakens the comparison. */
function notesOn(before: Report, now: Report): string[] {
  const versions = [before, now].map(({ environment: { ipcmark, ffi } }) => `ipcmark ${ipcmark} with ${ffi.binding}`);
  return [
    ...(versions[0] === versions[1] ? [] : [`The instrument differs: ${versions[0]} then, ${versions[1]} now.`]),
    ...otherCandidates(before, now),
    ...(before.complete === false ? ["The earlier run was interrupted."] : []),
    ...(before.duration?.effort === "quick" || now.duration?.effort === "quick"
      ? ["--quick: intervals of short windows are too narrow."]
      : []),
  ];
}

/** Names the candidates that only one of the runs had: a pick may be another one because of them. */
function otherCandidates(before: Report, now: Report): string[] {
  const [then, today] = [before, now].map(({ candidates = [] }) =>
    candidates.filter(({ status }) => status === "in").map(({ transport }) => transport),
  ) as [string[], string[]];
  const [gone, fresh] = [then.filter((id) => !today.includes(id)), today.filter((id) => !then.includes(id))];
  if (then.length === 0 || today.length === 0 || gone.length + fresh.length === 0) return [];
  const parts = [
    ...(gone.length > 0 ? [`${gone.join(", ")} only then`] : []),
    ...(fresh.length > 0 ? [`${fresh.join(", ")} only now`] : []),
  ];
  return [`The candidates differ: ${parts.join("; ")}.`];
}

/** Compares the picks of the same question: needs, workload and placement. */
function pickChange({ pick: was, question: then }: Report, { pick: is, question }: Report): string {
  if (was === null || is === null)
    return was === is
      ? "Neither run has a pick."
      : `There was ${was?.transport ?? "no pick"}; now ${is?.transport ?? "there is no pick"}.`;
  if (JSON.stringify([was.workload, then?.needs]) !== JSON.stringify([is.workload, question?.needs]))
    return "The question is another one, so the picks are not compared.";
  if (was.transport === is.transport) return `The pick is still ${is.transport}.`;
  const ties = is.ties.includes(was.transport) ? `, with which ${was.transport} is tied` : "";
  return `The pick was ${was.transport} and is now ${is.transport}${ties}.`;
}
