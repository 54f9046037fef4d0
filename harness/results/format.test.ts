import { expect, test } from "vitest";
import {
  ABSENT,
  bytes,
  duration,
  durationRange,
  oneLine,
  percent,
  quantity,
  ratio,
  significant,
  visible,
  visibleLines,
} from "./format.ts";

test("a duration has three significant digits and the unit in which it is at least 1", () => {
  const cases = { 0: "0 ns", 4.2137: "4.21 ns", 842: "842 ns", 999.6: "1.00 µs", 19240: "19.2 µs", 1234567: "1.23 ms" };
  for (const [ns, text] of Object.entries(cases)) expect(duration(Number(ns))).toBe(text);
  expect(duration(999_500)).toBe("1.00 ms");
  expect(duration(12_000_000_000)).toBe("12.0 s");
});

test("what was not measured is a dash, never a zero", () => {
  for (const show of [duration, bytes, quantity, ratio, percent]) {
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
  expect([ratio(1), ratio(12.34), ratio(148.2)]).toEqual(["1.00×", "12.3×", "148×"]);
});

test("an error text is shown as one line whose escape codes can be seen and do nothing", () => {
  expect(oneLine("\n\u001b[31mbroken\u001b[0m pipe\r\n    at somewhere")).toBe("\\x1b[31mbroken\\x1b[0m pipe");
});

test("whatever a terminal could obey is shown as an escape, and nothing else is changed", () => {
  expect(visible("a\n\r\t\u0000\u009b\u202e\u2066\u2028\ufeff\ud800\u{e0001}b")).toBe(
    "a\\n\\r\\t\\x00\\x9b\\u202e\\u2066\\u2028\\ufeff\\ud800\\u{e0001}b",
  );
  expect(visible("shm/futex µs × 漢字 🚀 C:\\temp")).toBe("shm/futex µs × 漢字 🚀 C:\\temp");
  expect(visibleLines("two\nlines\u001b")).toBe("two\nlines\\x1b");
});

test("the smallest and the largest numbers have a text", () => {
  for (const value of [Number.MIN_VALUE, 1e-200, 1e300]) expect(significant(value)).toMatch(/^\d/);
});
