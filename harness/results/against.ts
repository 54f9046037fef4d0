import type { Interval, MeasuredRow, Measurement, Report } from "./model.ts";
import { median } from "./quantiles.ts";
import { type Rounds, roundsOf } from "./ranking.ts";
import { compareUnpaired } from "./unpaired.ts";

/** Cell that two runs measured, and how its cost changed from the first to the second. */
export interface Change {
  readonly cell: MeasuredRow;
  /** Median cost of each run: p50 in ns, or ns per message where the model is one-way. */
  readonly before: number;
  readonly now: number;
  /** Cost now as a multiple of that before; see {@link Changes.isAdjusted}. */
  readonly ratio: number;
  /** Null where there are too few rounds. All intervals of the list hold together with 95 %. */
  readonly interval: Interval | null;
  readonly verdict: "slower" | "faster" | "same" | "unknown";
}

export interface Changes {
  /**
   * True where each cost was divided by that of the frozen control of its own round, so that a machine that became
   * slower as a whole is no change. False where one of the reports has no control for each round.
   */
  readonly isAdjusted: boolean;
  readonly rows: readonly Change[];
  /** Number of cells that only one of the runs measured. */
  readonly onlyBefore: number;
  readonly onlyNow: number;
}

const CONFIDENCE = 0.95;

/**
 * Compares the cells that two runs have in common. Rounds of two runs are no pairs, since they were measured at
 * different times, so the intervals are unpaired; the control of its own round is the pair of a trial.
 */
export function changesSince(before: Report, now: Report): Changes {
  const [earlier, later] = [cellsOf(before), cellsOf(now)];
  const common = [...later].flatMap(([key, cell]) => {
    const other = earlier.get(key);
    return other === undefined ? [] : [{ cell, before: costsOf(other), now: costsOf(cell) }];
  });
  const [controlsBefore, controlsNow] = [controlsOf(before), controlsOf(now)];
  const isAdjusted =
    common.length > 0 &&
    common.every(
      ({ cell: { placement }, before: was, now: is }) =>
        isCovered(was, controlsBefore.get(placement)) && isCovered(is, controlsNow.get(placement)),
    );
  const confidence = 1 - (1 - CONFIDENCE) / Math.max(1, common.length);
  const rows = common.map(({ cell, before: was, now: is }): Change => {
    const adjusted = (costs: Rounds, controls: typeof controlsNow): number[] =>
      [...costs].map(([round, cost]) => cost / (isAdjusted ? (controls.get(cell.placement)?.get(round) ?? 1) : 1));
    const found = compareUnpaired(adjusted(is, controlsNow), adjusted(was, controlsBefore), confidence);
    return {
      cell,
      before: median([...was.values()]),
      now: median([...is.values()]),
      ...found,
      verdict: verdictOf(found),
    };
  });
  const uncommon = (from: typeof later, other: typeof later): number =>
    [...from.keys()].filter((key) => !other.has(key)).length;
  return { isAdjusted, rows, onlyBefore: uncommon(earlier, later), onlyNow: uncommon(later, earlier) };
}

function verdictOf({ interval }: { readonly interval: Interval | null }): Change["verdict"] {
  if (interval === null) return "unknown";
  return interval[0] > 1 ? "slower" : interval[1] < 1 ? "faster" : "same";
}

function costsOf(row: MeasuredRow): Rounds {
  return roundsOf([row], ({ latencyNs, messagesPerSecond }) => latencyNs?.p50 ?? 1e9 / messagesPerSecond);
}

function cellsOf({ measurements }: Report): Map<string, MeasuredRow> {
  const measured = measurements.filter((row) => row.status === "measured").filter((row) => costsOf(row).size > 0);
  return new Map(measured.map((row) => [keyOf(row), row]));
}

/** Returns everything that makes a cell comparable; versions of languages may differ. */
function keyOf(row: Measurement): string {
  const { benchmark, transport, mode, placement, payloadBytes, inFlight, clients, ratePerSecond, codec } = row;
  const { corpus, peer, client, arrivals, batched, mix, workMicros, recorded } = row;
  const size = corpus === undefined ? payloadBytes : corpus;
  const places = [benchmark, transport, mode, placement, size, peer.language, client?.language ?? "node"];
  const load = [inFlight, clients, ratePerSecond, codec, arrivals, batched, mix, workMicros, recorded?.sha256];
  return JSON.stringify([places, ...load]);
}

/** Returns the p50 of the frozen control by placement and round. */
function controlsOf({ rounds = [] }: Report): Map<string, Map<number, number>> {
  const found = new Map<string, Map<number, number>>();
  for (const { round, controls } of rounds)
    for (const { placement, p50 } of controls)
      found.set(placement, (found.get(placement) ?? new Map<number, number>()).set(round, p50));
  return found;
}

function isCovered(costs: Rounds, controls: ReadonlyMap<number, number> | undefined): boolean {
  return controls !== undefined && [...costs.keys()].every((round) => (controls.get(round) ?? 0) > 0);
}
