import hdr from "hdr-histogram-js";

/** One point of a percentile plot: `x` is 1/(1-p), so that 50, 90, 99 and 99.9 % are evenly readable on a log axis. */
export type PercentilePoint = readonly [x: number, ns: number];

/** Number of samples beyond a percentile that is shown. */
const SAMPLES_BEYOND = 20;
const STEPS_PER_DECADE = 12;

/**
 * Returns points from the minimum to the last percentile with 20 samples beyond it.
 * @param base64 HdrHistogram (V2, compressed)
 * @returns a sentence instead of points when the text is no histogram: one bad cell must not cost the page.
 */
export function percentilePoints(base64: string): PercentilePoint[] | string {
  let histogram: hdr.Histogram;
  try {
    histogram = hdr.decodeFromCompressedBase64(base64, 32, false);
  } catch (error) {
    return `histogram unreadable: ${error instanceof Error ? error.message : String(error)}`;
  }
  const last = histogram.totalCount / SAMPLES_BEYOND;
  if (last < 1) return `only ${histogram.totalCount} samples: too few for percentiles`;
  const steps = Math.floor(Math.log10(last) * STEPS_PER_DECADE);
  const xs = Array.from({ length: steps + 1 }, (_, step) => 10 ** (step / STEPS_PER_DECADE));
  if (last > (xs.at(-1) ?? 0)) xs.push(last);
  return xs.map((x) => [Number(x.toPrecision(5)), histogram.getValueAtPercentile(100 * (1 - 1 / x))] as const);
}
