import { createRequire } from "node:module";
import type * as Hdr from "hdr-histogram-js";

let loaded: typeof Hdr | undefined;

/** Loaded on first use: it takes longer to load than a driver takes to start, and most processes never encode one. */
function library(): typeof Hdr {
  loaded ??= createRequire(import.meta.url)("hdr-histogram-js") as typeof Hdr;
  return loaded;
}

/** One minute: a slower round trip is a lost one. */
const HIGHEST_NS = 60e9;

/** HdrHistogram V2, compressed, base64: readable by every HdrHistogram tool. Three significant digits, ns. */
export function encodeHistogram(samples: ArrayLike<number> & Iterable<number>): string {
  const hdr = library();
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_NS,
    numberOfSignificantValueDigits: 3,
  });
  for (const value of samples) histogram.recordValue(Math.min(Math.max(1, Math.round(value)), HIGHEST_NS));
  return hdr.encodeIntoCompressedBase64(histogram);
}

/** Merging histograms is exact; averaging percentiles would not be. Feeds the percentile plot only. */
export function mergeHistograms(encoded: readonly string[]): string | undefined {
  const [first, ...rest] = encoded;
  if (first === undefined) return undefined;
  const hdr = library();
  const merged = hdr.decodeFromCompressedBase64(first);
  for (const text of rest) merged.add(hdr.decodeFromCompressedBase64(text));
  return hdr.encodeIntoCompressedBase64(merged);
}
