import { createRequire } from "node:module";
import { inflateSync } from "node:zlib";
import type * as Hdr from "hdr-histogram-js";

let loaded: typeof Hdr | undefined;

/** Loads the library on first use: it loads slower than a driver starts, and most processes never encode. */
function library(): typeof Hdr {
  loaded ??= createRequire(import.meta.url)("hdr-histogram-js") as typeof Hdr;
  return loaded;
}

/** Longest round trip, one minute: a slower one counts as lost. */
const HIGHEST_NS = 60e9;

/** Length of cookie and length, before the compressed part: header of 40 bytes, then the counts. */
const OUTER_BYTES = 8;
const INNER_BYTES = 40;
/**
 * Largest inflated size. It is far more than a full histogram of ours has; a small foreign text can announce gigabytes.
 */
const MOST_INFLATED_BYTES = 4 * 1024 * 1024;
const MOST_DIGITS = 4;
const DAY_NS = 86_400e9;

/** Encodes times in ns with three significant digits: HdrHistogram V2, compressed, base64, for any such tool. */
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

/** Merges histograms, which is exact; averaging percentiles would not be. Feeds the percentile plot only. */
export function mergeHistograms(encoded: readonly string[]): string | undefined {
  const [first, ...rest] = encoded;
  if (first === undefined) return undefined;
  const hdr = library();
  const merged = hdr.decodeFromCompressedBase64(first);
  for (const text of rest) merged.add(hdr.decodeFromCompressedBase64(text));
  return hdr.encodeIntoCompressedBase64(merged);
}

/** Decodes a foreign histogram. @returns its defect; undefined where it has valid times of up to one day */
export function histogramDefect(text: string): string | undefined {
  try {
    // The library itself would inflate and allocate as much as the text asks for.
    const outer = Buffer.from(text, "base64");
    const inner = inflateSync(outer.subarray(OUTER_BYTES), { maxOutputLength: MOST_INFLATED_BYTES });
    if (inner.length < INNER_BYTES) return "its header is cut short";
    if (inner.readUInt32BE(12) > MOST_DIGITS) return "it has more digits than a clock";
    if (inner.readBigInt64BE(24) > DAY_NS) return "its values are longer than a day";
    const { totalCount, maxValue } = library().decodeFromCompressedBase64(text);
    if (!Number.isSafeInteger(totalCount) || totalCount < 0) return "its counts are no counts";
    return maxValue > DAY_NS ? "a value is longer than a day" : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
