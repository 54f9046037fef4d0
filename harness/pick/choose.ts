import { type Criterion, compareSimplicity } from "../../scenarios/simplicity.ts";
import { type Comparison, compareRounds, type Ranked, type Standing, standingOf } from "../results/ranking.ts";
import type { Candidate } from "./candidates.ts";
import { type Margin, type Materiality, materiality } from "./materiality.ts";

/** Candidate, compared with the fastest. */
export interface Judged {
  readonly candidate: Candidate;
  /** Cost relative to that of the fastest. */
  readonly comparison: Comparison;
  readonly standing: Standing;
  /** Test of the difference; undefined for the fastest itself, and without a common round. */
  readonly materiality?: Materiality;
}

export interface Choice {
  readonly fastest: Judged;
  readonly chosen: Judged;
  /** All candidates, fastest first. */
  readonly all: readonly Judged[];
  /** Criterion by which the chosen one is simpler than the fastest; undefined where it is the fastest. */
  readonly simplerBy?: Criterion;
}

/**
 * Chooses among ranked candidates: the simplest of those whose difference to the fastest is not shown to matter. A run
 * has to prove that speed matters; simplicity needs no proof.
 */
export function choose(ranked: readonly Ranked<Candidate>[], margin: Margin): Choice | undefined {
  const [first] = ranked;
  if (first === undefined) return undefined;
  const all = ranked.map(({ row, comparison, standing }): Judged => {
    const found = row === first.row ? undefined : materiality(row.costs, first.row.costs, margin);
    return { candidate: row, comparison, standing, ...(found === undefined ? {} : { materiality: found }) };
  });
  const fastest = all[0] as Judged;
  const eligible = all.filter((one) => one === fastest || isEligible(one));
  const simplicity = (one: Judged, other: Judged) =>
    compareSimplicity(one.candidate.capabilities, other.candidate.capabilities);
  const chosen = eligible.toSorted((one, other) => simplicity(one, other).order)[0] as Judged;
  const { criterion } = chosen === fastest ? {} : simplicity(chosen, fastest);
  return { fastest, chosen, all, ...(criterion === undefined ? {} : { simplerBy: criterion }) };
}

/** True unless this run shows that a candidate takes longer than the fastest, and by more than the margin. */
function isEligible({ standing, materiality: found }: Judged): boolean {
  return standing === "tied" || (standing === "behind" && found !== undefined && found.matters !== "yes");
}

/** Returns the standing of a candidate relative to the chosen one. */
export function toldFrom(one: Judged, chosen: Judged): Standing {
  const { interval } = compareRounds(one.candidate.rounds, chosen.candidate.rounds);
  return interval !== null && interval[1] < 1 ? "best" : standingOf(interval);
}
