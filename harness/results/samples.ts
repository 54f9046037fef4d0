import type { CellFigures } from "../process/messages.ts";
import type { Quantiles } from "./model.ts";
import { enoughSamples, quantileSorted } from "./quantiles.ts";

/** Returns exact quantiles of the samples, ns. Sorts in place: the order of events is no longer needed. */
export function summarize(samples: Float64Array): NonNullable<CellFigures["latencyNs"]> {
  samples.sort();
  let sum = 0;
  for (const value of samples) sum += value;
  return {
    count: samples.length,
    min: samples[0] as number,
    p50: quantileSorted(samples, 0.5),
    p90: quantileSorted(samples, 0.9),
    p99: quantileSorted(samples, 0.99),
    p999: quantileSorted(samples, 0.999),
    max: samples.at(-1) as number,
    mean: sum / samples.length,
  };
}

/** Smallest number of samples whose halves have comparable medians. */
const LEAST_FOR_HALVES = 100;

/** Returns p50 of the first and of the second half, in the order the samples were taken. */
export function halves(samples: Float64Array): readonly [number, number] | null {
  if (samples.length < LEAST_FOR_HALVES) return null;
  const middle = samples.length >> 1;
  const of = (part: Float64Array): number => quantileSorted(part.sort(), 0.5);
  return [of(samples.slice(0, middle)), of(samples.slice(middle))];
}

/** Returns those quantiles of a driver's figures that the number of samples can show. */
export function quantilesOf(latencyNs: NonNullable<CellFigures["latencyNs"]>): Quantiles {
  const { count, min, p50, p90, p99, p999, max, mean } = latencyNs;
  const shown = (q: number): boolean => enoughSamples(q, count);
  return {
    count,
    min,
    p50,
    ...(shown(0.9) ? { p90 } : {}),
    ...(shown(0.99) ? { p99 } : {}),
    ...(shown(0.999) ? { p999 } : {}),
    max,
    mean,
  };
}
