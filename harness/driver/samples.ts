import * as hdr from "hdr-histogram-js";
import type { CellFigures } from "../process/messages.ts";
import { quantileSorted } from "../results/quantiles.ts";

/** One minute: a slower round trip is a lost one. */
const HIGHEST_NS = 60e9;

/** Exact quantiles of the samples, ns. Sorts in place: the order of events is no longer needed. */
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

/** HdrHistogram V2, compressed, base64: readable by every HdrHistogram tool. Three significant digits, ns. */
export function encodeHistogram(samples: Float64Array): string {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_NS,
    numberOfSignificantValueDigits: 3,
  });
  for (const value of samples) histogram.recordValue(Math.min(Math.max(1, Math.round(value)), HIGHEST_NS));
  return hdr.encodeIntoCompressedBase64(histogram);
}
