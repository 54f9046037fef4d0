import { duration, durationSpan } from "../results/format.ts";
import type { Interval, Report } from "../results/model.ts";

/** Largest distance between the two break-evens, as a share of the computed one. */
export const MOST_APART_SHARE = 0.15;
const MOST_WORK_US = 1_000_000;

type Answered = Pick<Report, "pick">;

/** Returns the break-even of the two candidates of a run, ns; undefined where it has none. */
function breakEvenNs({ pick }: Answered): number | undefined {
  return pick?.ranking[1]?.request?.breakEvenWorkNs ?? undefined;
}

/** Returns the range of the break-even, ns; undefined where the run has none. */
function boundsOf({ pick }: Answered): Interval | undefined {
  return pick?.ranking[1]?.request?.breakEvenBounds ?? undefined;
}

/** Returns the break-even as a value of `--work`, µs; undefined where it is none. */
export function breakEvenMicros(run: Answered): number | undefined {
  const us = Math.round((breakEvenNs(run) ?? 0) / 1000);
  return us >= 1 && us <= MOST_WORK_US ? us : undefined;
}

export interface Judgement {
  readonly what: string;
  readonly seen: string;
  readonly promised: string;
  readonly holds: boolean;
}

/**
 * Compares the break-even of a run without work with that of a run in which the server did that work. The promise is
 * for the nearest end of the range of the first run.
 */
export function judgeBreakEven(without: Answered, withWork: Answered): Judgement {
  const [computedNs, measuredNs] = [breakEvenNs(without) ?? Number.NaN, breakEvenNs(withWork)];
  const [low, high] = boundsOf(without) ?? [computedNs, computedNs];
  const names = without.pick?.ranking.map(({ transport }) => transport).join(" and ") ?? "";
  const row = { what: `break-even of ${names}`, promised: `within ${100 * MOST_APART_SHARE} % of the range` };
  const computed = `computed ${duration(computedNs)} (${durationSpan(low, high)})`;
  if (measuredNs === undefined) return { ...row, seen: `${computed}, none with that work`, holds: false };
  const apart = measuredNs / computedNs - 1;
  const sign = apart < 0 ? "-" : "+";
  const range = boundsOf(withWork);
  const measured = `${duration(measuredNs)}${range === undefined ? "" : ` (${durationSpan(...range)})`}`;
  return {
    ...row,
    seen: `${computed}, with that work ${measured}: ${sign}${(100 * Math.abs(apart)).toFixed(1)} %`,
    holds: measuredNs >= low * (1 - MOST_APART_SHARE) && measuredNs <= high * (1 + MOST_APART_SHARE),
  };
}
