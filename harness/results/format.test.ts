import { expect, test } from "vitest";
import { ABSENT, byteRate, bytes, duration, durationRange, oneLine, percent, quantity, ratio } from "./format.ts";

test("a duration has three significant digits and the unit in which it is at least 1", () => {
  const cases = { 0: "0 ns", 4.2137: "4.21 ns", 842: "842 ns", 999.6: "1.00 µs", 19240: "19.2 µs", 1234567: "1.23 ms" };
  for (const [ns, text] of Object.entries(cases)) expect(duration(Number(ns))).toBe(text);
  expect(duration(999_500)).toBe("1.00 ms");
  expect(duration(12_000_000_000)).toBe("12.0 s");
});

test("what was not measured is a dash, never a zero", () => {
  for (const show of [duration, bytes, quantity, byteRate, ratio, percent]) {
    expect(show(null)).toBe(ABSENT);
    expect(show(undefined)).toBe(ABSENT);
    expect(show(Number.NaN)).toBe(ABSENT);
  }
  expect(durationRange(undefined, 100)).toBe(ABSENT);
});

test("an interval is written in the unit of the value beside it", () => {
  expect(durationRange([18_900, 1_300_000], 19_200)).toBe("18.9–1300");
  expect(durationRange([990, 1010], 1000)).toBe("0.990–1.01");
});

test("sizes are binary, rates decimal, ratios carry a sign of multiplication", () => {
  expect([bytes(64), bytes(4096), bytes(1_572_864), bytes(0)]).toEqual(["64 B", "4 KiB", "1.50 MiB", "0 B"]);
  expect([quantity(51_234), quantity(999_999), quantity(12)]).toEqual(["51.2 k", "1.00 M", "12.0"]);
  expect([byteRate(1_200_000_000), byteRate(12)]).toEqual(["1.20 GB/s", "12.0 B/s"]);
  expect([ratio(1), ratio(12.34), ratio(148.2)]).toEqual(["1.00×", "12.3×", "148×"]);
});

test("an error text is shown as one line without escape codes", () => {
  expect(oneLine("\n\u001b[31mbroken\u001b[0m pipe\r\n    at somewhere")).toBe("[31mbroken [0m pipe");
});
