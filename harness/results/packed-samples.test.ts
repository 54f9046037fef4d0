import { expect, it } from "vitest";
import { packSamples, unpackSamples } from "./packed-samples.ts";

it("unpacked samples are the packed ones to the nanosecond; a time beyond the range is the longest it holds", () => {
  expect([...unpackSamples(packSamples(Float64Array.from([0, 1, 20_123.4, 1e9, 9e9])))]).toEqual([
    0,
    1,
    20_123,
    1e9,
    2 ** 32 - 1,
  ]);
  expect([...unpackSamples(packSamples(new Float64Array(0)))]).toEqual([]);
});
