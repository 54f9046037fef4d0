import type { Report } from "../../results/model.ts";
import type { CellFigures } from "./cells.ts";

/** Report of a `compare`, and the run time of its process. */
export interface Run {
  readonly report: Report;
  readonly wallMs: number;
}

/**
 * `plain`: a default `compare`. `reference`: the same round trips on one CPU with many messages, in several runs,
 * because slow mechanisms get fewer. `busy`: with a busy loop on each CPU. `slow`: with {@link SLOW_ID} in the list.
 */
export const KINDS = ["plain", "reference", "busy", "slow"] as const;
export type Kind = (typeof KINDS)[number];

/** Everything that the figures are computed from. */
export interface Evidence extends Readonly<Record<Kind, readonly Run[]>> {
  /** Time to start a pair of processes, ms; null where it was not measured. */
  readonly pairMs: number | null;
}

/** `cannot tell`: measured in fewer runs than the promise is about. */
export type Verdict = "holds" | "MISSED" | "cannot tell" | "not measured";

export interface Row {
  readonly letter: Letter;
  readonly what: string;
  readonly seen: string;
  readonly promised: string;
  readonly verdict: Verdict;
  readonly cells?: CellFigures;
}

export const LETTERS = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;
export type Letter = (typeof LETTERS)[number];

/** Ids of the mechanism that is copied: the first in present reports, the second in older ones. */
export const COPIED_IDS: readonly string[] = ["local-socket", "unix"];
/** Id of the copy of `unix` in `fixtures/slow-unix.ts`. */
export const SLOW_ID = "bench/slow-unix";
/** Extra time of its round trips, as a share of the p50 of `unix`. */
export const SLOW_SHARE = 0.2;
