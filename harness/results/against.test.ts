import { describe, expect, it, test } from "vitest";
import { againstText } from "../../reports/terminal/index.ts";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import { changesSince } from "./against.ts";
import type { MeasuredRow, Report, Trial } from "./model.ts";
import { randomFrom } from "./random.ts";
import { compareUnpaired } from "./unpaired.ts";

describe("the interval of two samples that are no pairs", () => {
  /** Values whose ratios to the ones of the other sample are all different: the place of a ratio is then visible. */
  const powers = (n: number, step: number): number[] => Array.from({ length: n }, (_, at) => 2 ** (at * step));

  it.each([
    // Two-sided critical values of Mann-Whitney's U at 5 % (Conover, table A7; the same in every textbook).
    [6, 6, 5],
    [4, 4, 0],
    [8, 10, 17],
    [10, 10, 23],
    [20, 20, 127],
  ])("skips as many ratios on each side as the table has for %i and %i values", (n, m, critical) => {
    const [one, other] = [powers(n, 1), powers(m, n)];
    const ratios = one.flatMap((value) => other.map((reference) => value / reference)).sort((a, b) => a - b);
    expect(compareUnpaired(one, other, 0.95).interval).toEqual([ratios[critical], ratios[n * m - 1 - critical]]);
  });

  it("is none for too few values, and that of the normal approximation for many", () => {
    expect(compareUnpaired([1, 2, 3], [1, 2, 3], 0.95).interval).toBeNull();
    expect(compareUnpaired([], [1], 0.95).ratio).toBeNaN();
    const random = randomFrom(3);
    const [one, other] = [0, 1].map(() => Array.from({ length: 61 }, () => 1 + random() / 100)) as [number[], number[]];
    const { interval, ratio } = compareUnpaired(one, other, 0.95);
    const width = (interval?.[1] ?? 0) - (interval?.[0] ?? 0);
    // Half width for two uniform samples of 61: about 1.96 x 0.0029 x sqrt(2 / 61) = 0.001.
    expect(width).toBeGreaterThan(0.001);
    expect(width).toBeLessThan(0.004);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.002);
  });

  it("contains 1 in 95 of 100 comparisons of equal distributions", () => {
    const random = randomFrom(11);
    const sample = (): number[] => Array.from({ length: 8 }, () => Math.exp(random() + random()));
    const missed = Array.from({ length: 1000 }, () => compareUnpaired(sample(), sample(), 0.95).interval).filter(
      (interval) => interval === null || interval[0] > 1 || interval[1] < 1,
    );
    expect(missed.length).toBeGreaterThan(20);
    expect(missed.length).toBeLessThanOrEqual(60);
  });
});

const before = fixtureReport({ seed: 1, trials: 12, payloads: [64] });
const again = fixtureReport({ seed: 2, trials: 12, payloads: [64] });

/** Makes all round trips of a report longer. */
function slower(report: Report, factor: number, only?: string): Report {
  const longer = (trial: Trial): Trial =>
    trial.status === "valid" && trial.latencyNs !== undefined
      ? { ...trial, latencyNs: { ...trial.latencyNs, p50: trial.latencyNs.p50 * factor } }
      : trial;
  const measurements = report.measurements.map((row) =>
    row.status === "measured" && (only === undefined || row.transport === only)
      ? { ...row, trials: row.trials.map(longer) }
      : row,
  );
  return { ...report, measurements };
}

/** Gives every round a control that takes so long. */
function controlled(report: Report, p50: number): Report {
  const numbers = [...new Set(report.measurements.flatMap(({ trials }) => trials.map(({ round }) => round)))];
  const rounds = numbers.map((round) => ({
    ...{ round, startedAtMs: 0, durationMs: 1, stealShare: 0, loadAverage1: 0, frequencyMHz: null, canaries: [] },
    controls: (["same-cpu", "two-cpus"] as const).map((placement) => ({ placement, p50, count: 100 })),
  }));
  return { ...report, rounds };
}

const without = ({ rounds: _, ...report }: Report): Report => report;
const verdicts = (earlier: Report, later: Report): Map<string, string> =>
  new Map(
    changesSince(earlier, later)
      .rows.filter(({ cell }) => cell.benchmark === "round-trip" && cell.placement === "two-cpus")
      .map(({ cell, verdict }) => [cell.transport, verdict]),
  );

describe("what changed between two runs", () => {
  test("a mechanism that became slower is named, and no other", () => {
    const found = verdicts(without(before), slower(without(again), 1.5, "unix"));
    expect(found.get("unix")).toBe("slower");
    expect([...found.values()].filter((verdict) => verdict === "slower")).toHaveLength(1);
    expect(verdicts(slower(without(again), 1.5, "unix"), without(before)).get("unix")).toBe("faster");
  });

  test("a machine that became slower as a whole is no change where every round has a control", () => {
    const found = changesSince(controlled(before, 10_000), controlled(slower(again, 1.5), 15_000));
    expect(found.isAdjusted).toBe(true);
    const trips = found.rows.filter(({ cell }) => cell.benchmark === "round-trip");
    expect(trips.length).toBeGreaterThan(5);
    expect(trips.filter(({ verdict }) => verdict === "slower")).toEqual([]);
    // The same without controls.
    const raw = changesSince(without(before), without(slower(again, 1.5)));
    expect(raw.isAdjusted).toBe(false);
    expect(raw.rows.filter(({ verdict }) => verdict === "slower").length).toBeGreaterThan(5);
  });

  test("cells of one run only are counted, and few rounds give no verdict", () => {
    const few = fixtureReport({ seed: 2, trials: 3, payloads: [64] });
    expect(new Set(verdicts(without(before), without(few)).values())).toEqual(new Set(["unknown"]));
    const sizes = fixtureReport({ seed: 2, trials: 3, payloads: [64, 4096] });
    const { onlyBefore, onlyNow, rows } = changesSince(few, sizes);
    expect(onlyBefore).toBe(0);
    expect(onlyNow).toBe(sizes.measurements.filter((row) => row.status === "measured").length - rows.length);
    const other = sizes.measurements.map((row) => ({ ...(row as MeasuredRow), clients: 8 }));
    expect(changesSince(few, { ...sizes, measurements: other }).rows).toEqual([]);
  });
});

describe("the text about it", () => {
  const options = { columns: 100 };
  test("names the pick, the changes and how sure they are", () => {
    const text = againstText(without(before), slower(without(again), 1.5, "unix"), "old.json", options);
    expect(text).toMatch(/^Against old\.json of \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    expect(text).toMatch(/The pick is still \S+\./);
    expect(text).toMatch(/unix +round-trip, 64 B, event loop, two CPUs .* 1\.\d+× .*slower/);
    expect(text).toMatch(/\d+ of \d+ cells: no change shown/);
    expect(text).toMatch(/All\s+intervals hold together with 95 %/);
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test("names another pick, a tie, and another question", () => {
    const pick = before.pick as NonNullable<Report["pick"]>;
    const to = (transport: string, ties: string[]): Report => ({ ...again, pick: { ...pick, transport, ties } });
    expect(againstText(before, to("shm/futex", [pick.transport]), "a", options)).toMatch(
      new RegExp(`The pick was ${pick.transport} and is now shm/futex, with which ${pick.transport} is tied\\.`),
    );
    const other = { ...again, pick: { ...pick, workload: { ...pick.workload, payloads: [1] } } };
    expect(againstText(before, other, "a", options)).toMatch(/question is another one, so the picks are not compared/);
    expect(againstText({ ...before, pick: null }, again, "a", options)).toMatch(/There was no pick; now /);
  });
});
