import { medianInterval } from "./intervals.ts";
import type { Stationarity, ValidTrial, Warning } from "./model.ts";
import { median } from "./quantiles.ts";

const LEAST_ROUNDS = 4;
/** Smallest drift worth a warning, however certain it is. */
export const NOTABLE_DRIFT = 0.05;

/** Returns second half over first half, within the trials and over the run; undefined when no trial has halves. */
export function stationarity(valid: readonly ValidTrial[]): Stationarity | undefined {
  const ratios = valid.flatMap(({ halvesNs }) => (halvesNs === undefined ? [] : [halvesNs[1] / halvesNs[0]]));
  const p50s = valid.flatMap(({ latencyNs }) => (latencyNs === undefined ? [] : [latencyNs.p50]));
  if (ratios.length === 0 && p50s.length < LEAST_ROUNDS) return undefined;
  const middle = p50s.length >> 1;
  return {
    withinTrial: ratios.length === 0 ? null : { ratio: median(ratios), interval: medianInterval(ratios) ?? null },
    overRun: p50s.length < LEAST_ROUNDS ? null : median(p50s.slice(middle)) / median(p50s.slice(0, middle)),
  };
}

/** Returns a warning when the cell drifts within its trials by more than chance and more than is worth mentioning. */
export function driftWarning(found: Stationarity | undefined): Pick<Warning, "id" | "text"> | undefined {
  const within = found?.withinTrial;
  if (!within?.interval) return undefined;
  const [low, high] = within.interval;
  if (Math.abs(within.ratio - 1) < NOTABLE_DRIFT || (low <= 1 && high >= 1)) return undefined;
  const percent = Math.round(Math.abs(within.ratio - 1) * 100);
  return within.ratio < 1
    ? {
        id: "not-settled",
        text:
          `not settled: the second half of a trial is ${percent} % faster than the first, ` +
          "so a longer run would be faster; use more --messages before you quote it",
      }
    : {
        id: "not-stationary",
        text:
          `not stationary: the second half of a trial is ${percent} % slower than the first; ` +
          "use more --messages before you quote it",
      };
}
