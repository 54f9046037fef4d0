import type { Cell } from "../../harness/coordinator/arm.ts";
import type { PairedArm } from "../../harness/coordinator/pairs.ts";
import { median } from "../../harness/results/quantiles.ts";

/** Times of the pairs of each arm, from which the time of further ones is predicted. */
export class PairTimes {
  readonly #measuredMs = new Map<PairedArm, number[]>();

  /** @param wanted the cells that ran */
  add(arm: PairedArm, wanted: readonly Cell[], ms: number): void {
    const before = this.#measuredMs.get(arm) ?? [];
    this.#measuredMs.set(arm, [...before, ms + this.#withoutMs(arm, wanted)]);
  }

  /** Predicts the time of one pair with these cells: from those measured, or from the plan where there is none. */
  pairMs(arm: PairedArm, wanted: readonly Cell[]): number {
    if (wanted.length === 0) return 0;
    const [first, ...later] = this.#measuredMs.get(arm) ?? [];
    // The first pair compiles what the later ones find compiled.
    const wholeMs = later.length > 0 ? median(later) : (first ?? 2 * arm.plannedMs);
    return Math.max(0, wholeMs - this.#withoutMs(arm, wanted));
  }

  /** Returns the planned time of the cells that are left out, on both sides. */
  #withoutMs({ head }: PairedArm, wanted: readonly Cell[]): number {
    const left = head.cells.filter(({ cell }) => !wanted.includes(cell));
    return 2 * left.reduce((sum, { plannedMs }) => sum + plannedMs, 0);
  }
}

/** Returns how many pairs fit into the time that is left; 0 where a pair takes no time, since none is wanted then. */
export function pairsIn(leftMs: number, pairMs: number): number {
  return pairMs === 0 ? 0 : Math.floor(Math.max(0, leftMs) / pairMs);
}

/** Fewest pairs worth a last look of their own. */
const LEAST_LAST = 4;

/** Returns the pairs that a further look may have: none rather than too few. */
export function pairsOfLook(affordable: number): number {
  return affordable < LEAST_LAST ? 0 : affordable;
}

/** Number of rounds after which the time of a stage can be announced, where no earlier stage has measured pairs. */
export const ROUNDS_TO_ANNOUNCE = 2;

/** Writes a time so that rounding changes it by a few per cent at most. */
export function secondsText(ms: number): string {
  const seconds = ms / 1000;
  return `${seconds < 20 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}
