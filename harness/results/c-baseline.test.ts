import { expect, test } from "vitest";
import { cBaselineWarnings, withCBaseline } from "./c-baseline.ts";
import type { CComparison, Measurement } from "./model.ts";

/** Makes a round trip of 64 B with one trial a round. */
function row(transport: string, p50s: readonly number[]): Measurement {
  const trials = p50s.map((p50, round) => ({ round, status: "valid", latencyNs: { p50 } }));
  const at = { model: "ping-pong", mode: "blocking", placement: "same-cpu", payloadBytes: 64, status: "measured" };
  return { ...at, transport, trials, latencyNs: { p50: p50s[0] } } as never;
}

const ratioOf = (row: Measurement | undefined): CComparison | undefined =>
  row?.status === "measured" ? row.cBaseline : undefined;

const six = (ns: number): number[] => [0, 1, 2, 3, 4, 5].map((round) => ns + round);

/** Returns the warnings for our times and plain C's, round by round. */
const warned = (ours: readonly number[], c: readonly number[]): string[] =>
  cBaselineWarnings(withCBaseline([row("unix", ours)], [row("c/unix", c)])).map(({ id, text }) => `${id}: ${text}`);

test("the ratio to plain C is the median of those within rounds, with its interval", () => {
  const [found] = withCBaseline([row("unix", [1000, 2200, 3600])], [row("c/unix", [1000, 2000, 3000])]);
  expect(ratioOf(found)).toMatchObject({ transport: "c/unix", p50: 1000, ratio: 1.1, interval: null });
  const [many] = withCBaseline([row("unix", six(1200))], [row("c/unix", six(1000))]);
  expect(ratioOf(many)?.interval?.[0]).toBeCloseTo(1.199, 3);
});

test("a ratio of 0.9 and more is no warning", () => {
  expect(warned(six(900), six(1000))).toEqual([]);
  expect(warned(six(4000), six(1000))).toEqual([]);
});

test("a ratio below 0.9 is a warning with its cell and both times", () => {
  expect(warned(six(7400), six(10_000))).toEqual([
    expect.stringMatching(
      new RegExp(
        String.raw`^c-ratio-doubtful: unix \(blocking, same-cpu, 64 B\) took 0\.740 times as long as plain C ` +
          String.raw`\(p50 7\.40 µs, plain C 10\.0 µs\): C makes the same system calls`,
      ),
    ),
  ]);
});

test("a ratio that may be chance has a warning with that reason instead", () => {
  expect(warned([800, 800, 800, 800, 800, 1100], six(1000))).toEqual([
    expect.stringMatching(/: its interval goes up to 1\.09, so this may be chance; give it more --trials$/),
  ]);
  expect(warned([800, 800], [1000, 1000])).toEqual([
    expect.stringMatching(/: it has no interval, so this may be chance/),
  ]);
});
