import type { CellFields, Interval } from "./measurement.ts";

/** Cell that two runs measured, and how its cost changed from the first to the second. */
export interface ComparedCell extends CellFields {
  /** `not-told-apart`: the interval contains 1, or there are too few rounds for one. */
  readonly verdict: "slower" | "faster" | "not-told-apart";
  /**
   * Values that were compared. Rounds of two runs never form pairs. `unpaired-over-control`: each cost is divided by
   * that of the frozen echo of its own round, so that a machine that became slower as a whole is no change.
   */
  readonly pairing: "unpaired" | "unpaired-over-control";
  /** Numbers of rounds. */
  readonly rounds: readonly [before: number, now: number];
  /** Median cost of each run: p50 in ns, or ns per message where the model is one-way. */
  readonly beforeNs: number;
  readonly nowNs: number;
  /** Cost now as a multiple of that before, of the values that `pairing` names. */
  readonly ratio: number;
  /** Null where there are too few rounds. All intervals of the list hold together with 95 %. */
  readonly interval: Interval | null;
}

/** Cell of which one of the runs has no figure. */
export interface UncomparedCell extends CellFields {
  readonly verdict: "not-comparable";
  readonly reason: string;
}

export type Change = ComparedCell | UncomparedCell;

/** Changes since an earlier report: the block `against` of a report. */
export interface Changes {
  /** File of the earlier report, as it was named. */
  readonly name: string;
  /** Start of the earlier run: ISO 8601, UTC. */
  readonly startedAt: string;
  /** Sentence on both picks. */
  readonly pick: string;
  /** Sentences on what else differs between the runs and weakens the comparison. */
  readonly notes: readonly string[];
  readonly rows: readonly Change[];
}
