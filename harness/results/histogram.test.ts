import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeHistogram } from "./histogram.ts";

const COMPRESSED_V2 = 0x1c849314;
const PLAIN_V2 = 0x1c849313;
/** Three digits: 2048 sub-buckets, of which the lower half exists in the first bucket only. */
const HALF_BITS = 10;

/** Returns counts by value, decoded by the published V2 layout alone: headers, then ZigZag LEB128 counts. */
function decodeByLayout(text: string): Map<number, number> {
  const outer = Buffer.from(text, "base64");
  expect(outer.readUInt32BE(0)).toBe(COMPRESSED_V2);
  expect(outer.readUInt32BE(4)).toBe(outer.length - 8);
  const bytes = inflateSync(outer.subarray(8));
  expect(bytes.readUInt32BE(0)).toBe(PLAIN_V2);
  expect(bytes.readUInt32BE(4)).toBe(bytes.length - 40);
  expect(bytes.readUInt32BE(12), "significant digits").toBe(3);
  expect(bytes.readBigUInt64BE(16), "lowest value").toBe(1n);
  // The ratio at 32 is for histograms of doubles. JavaScript and Python write an integer 1; integer readers skip it.
  const counts = new Map<number, number>();
  let index = 0;
  for (let at = 40; at < bytes.length; ) {
    let raw = 0n;
    let byte: number;
    let shift = 0n;
    do {
      byte = bytes[at++] as number;
      raw |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
    } while (byte >= 0x80);
    const count = Number((raw >> 1n) ^ -(raw & 1n));
    if (count > 0) counts.set(valueAt(index), count);
    index += count < 0 ? -count : 1;
  }
  return counts;
}

function valueAt(index: number): number {
  const bucket = (index >> HALF_BITS) - 1;
  const sub = index & (2 ** HALF_BITS - 1);
  return bucket < 0 ? sub : (sub + 2 ** HALF_BITS) * 2 ** bucket;
}

describe("a histogram of a report", () => {
  it("can be read by any tool that knows the HdrHistogram V2 layout", () => {
    const values = [1, 7, 7, 1023, 1024, 2047, 2048, 2049, 100_000, 100_000, 5_000_000_000];
    const found = decodeByLayout(encodeHistogram(Float64Array.from(values)));
    expect([...found]).toEqual([
      [1, 1],
      [7, 2],
      [1023, 1],
      [1024, 1],
      [2047, 1],
      // From 2048 on two neighbours share a bucket, and so on: the error never exceeds 0.1 %.
      [2048, 2],
      [99_968, 2],
      [4_999_610_368, 1],
    ]);
  });

  it("loses no sample, however small or large", () => {
    const found = decodeByLayout(encodeHistogram(Float64Array.from([0, 0.2, 1e12])));
    expect([...found.values()].reduce((sum, count) => sum + count, 0)).toBe(3);
  });
});
