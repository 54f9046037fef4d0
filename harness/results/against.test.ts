import { describe, expect, it, test } from "vitest";
import { changesText } from "../../reports/changes.ts";
import { renderHtml } from "../../reports/html/render.ts";
import { renderMarkdown } from "../../reports/markdown.ts";
import { againstText } from "../../reports/terminal/index.ts";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import { changesSince } from "./against.ts";
import type { ComparedCell } from "./changes.ts";
import type { MeasuredRow, Report, Trial, UnmeasuredRow } from "./model.ts";
import { randomFrom } from "./random.ts";
import { firstDefect } from "./schema.ts";
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

/** Gives every round a frozen echo that takes this long. */
function controlled(report: Report, p50: number): Report {
  const numbers = [...new Set(report.measurements.flatMap(({ trials }) => trials.map(({ round }) => round)))];
  const rounds = numbers.map((round) => ({
    ...{ round, startedAtMs: 0, durationMs: 1, stealShare: 0, loadAverage1: 0, frequencyMHz: null, canaries: [] },
    controls: (["same-cpu", "two-cpus"] as const).map((placement) => ({ placement, p50, count: 100 })),
  }));
  return { ...report, rounds };
}

const without = ({ rounds: _, ...report }: Report): Report => report;
const compared = (earlier: Report, later: Report): ComparedCell[] =>
  changesSince(earlier, later, "old.json").rows.filter((row) => row.verdict !== "not-comparable");
const verdicts = (earlier: Report, later: Report): Map<string, string> =>
  new Map(
    compared(earlier, later)
      .filter(({ benchmark, placement }) => benchmark === "round-trip" && placement === "two-cpus")
      .map(({ transport, verdict }) => [transport, verdict]),
  );

describe("what changed between two runs", () => {
  test("a mechanism that became slower is named, and no other", () => {
    const found = verdicts(without(before), slower(without(again), 1.5, "unix"));
    expect(found.get("unix")).toBe("slower");
    expect([...found.values()].filter((verdict) => verdict === "slower")).toHaveLength(1);
    expect(verdicts(slower(without(again), 1.5, "unix"), without(before)).get("unix")).toBe("faster");
  });

  test("a machine that became slower as a whole is no change where every round has a control", () => {
    const found = compared(controlled(before, 10_000), controlled(slower(again, 1.5), 15_000));
    expect(new Set(found.map(({ pairing }) => pairing))).toEqual(new Set(["unpaired-over-control"]));
    const trips = found.filter(({ benchmark }) => benchmark === "round-trip");
    expect(trips.length).toBeGreaterThan(5);
    expect(trips.filter(({ verdict }) => verdict === "slower")).toEqual([]);
    // The same without controls.
    const raw = compared(without(before), without(slower(again, 1.5)));
    expect(new Set(raw.map(({ pairing }) => pairing))).toEqual(new Set(["unpaired"]));
    expect(raw.filter(({ verdict }) => verdict === "slower").length).toBeGreaterThan(5);
  });

  test("the costs of a placement without a control are compared as they are, and those of the others over it", () => {
    const onOne = (report: Report): Report => {
      const { rounds = [], ...rest } = controlled(report, 10_000);
      return { ...rest, rounds: rounds.map((round) => ({ ...round, controls: round.controls.slice(0, 1) })) };
    };
    const [was, is] = [onOne(before), onOne(again)];
    const found = Map.groupBy(compared(was, is), ({ placement }) => placement);
    const pairings = [...found].map(([placement, rows]) => [placement, [...new Set(rows.map((row) => row.pairing))]]);
    expect(Object.fromEntries(pairings)).toEqual({ "same-cpu": ["unpaired-over-control"], "two-cpus": ["unpaired"] });
    expect(changesText(changesSince(was, is, "old.json")).sentences.at(-1)).toMatch(
      /Times are divided by the frozen echo .*; in \d+ cells not every round has a frozen echo/,
    );
  });

  test("few rounds tell nothing apart, and how many there were is stated", () => {
    const few = fixtureReport({ seed: 2, trials: 3, payloads: [64] });
    expect(new Set(verdicts(without(before), without(few)).values())).toEqual(new Set(["not-told-apart"]));
    const { notToldApart } = changesText(changesSince(without(before), without(few), "old.json"));
    expect(notToldApart[0]?.verdict).toBe("not told apart (too few rounds: 12 then, 3 now)");
  });

  test("a cell of one run only is not comparable, with the reason", () => {
    const few = fixtureReport({ seed: 2, trials: 3, payloads: [64] });
    const sizes = fixtureReport({ seed: 2, trials: 3, payloads: [64, 4096] });
    const uncompared = (earlier: Report, later: Report) =>
      changesSince(earlier, later, "old.json").rows.filter((row) => row.verdict === "not-comparable");
    const onlyNow = uncompared(few, sizes);
    expect(onlyNow.length).toBeGreaterThan(5);
    expect(new Set(onlyNow.map(({ payloadBytes }) => payloadBytes))).toEqual(new Set([4096]));
    expect(new Set(onlyNow.map(({ reason }) => reason))).toEqual(new Set(["the earlier run did not measure it"]));
    const onlyBefore = uncompared(sizes, few);
    expect(new Set(onlyBefore.map(({ reason }) => reason))).toEqual(new Set(["this run did not measure it"]));
    const other = sizes.measurements.map((row) => ({ ...(row as MeasuredRow), clients: 8 }));
    expect(compared(few, { ...sizes, measurements: other })).toEqual([]);
    const failed = few.measurements.map((row) =>
      row.transport === "unix" ? ({ ...row, status: "failed", reason: "its server died" } as UnmeasuredRow) : row,
    );
    const found = uncompared(few, { ...few, measurements: failed });
    expect(new Set(found.map(({ transport, reason }) => `${transport}: ${reason}`))).toEqual(
      new Set(["unix: this run has no figure of it: its server died"]),
    );
  });

  test("a report whose rows and rounds lack what older ones lack is compared, with a server on Node", () => {
    const older = controlled(before, 10_000);
    const measurements = older.measurements.map(({ peer: _, ...row }) => row);
    const rounds = (older.rounds ?? []).map(({ controls: _, ...round }) => round);
    const old = JSON.parse(JSON.stringify({ ...older, measurements, rounds })) as Report;
    expect(firstDefect(old)).toBeUndefined();
    const found = compared(old, controlled(again, 10_000));
    expect(found.length).toBe(compared(before, again).length);
    expect(new Set(found.map(({ pairing }) => pairing))).toEqual(new Set(["unpaired"]));
  });

  test("the block is a part of a report that a reader accepts, and a wrong one is named", () => {
    const against = changesSince(before, slower(again, 1.5, "unix"), "old.json");
    const report = JSON.parse(JSON.stringify({ ...again, against }));
    expect(firstDefect(report)).toBeUndefined();
    report.against.rows[0].verdict = "worse";
    expect(firstDefect(report)).toMatch(/^\/against\/rows\/0\/verdict: expected one of slower, faster,/);
    const { ratio: _, ...row } = against.rows[0] as ComparedCell;
    const rows = [row] as unknown as Report["measurements"];
    expect(firstDefect({ ...again, against: { ...against, rows } })).toMatch(/\/against\/rows\/0: "ratio" is missing/);
  });
});

describe("the text about it", () => {
  const options = { columns: 100 };
  const told = (earlier: Report, later: Report): string =>
    againstText(changesSince(earlier, later, "old.json"), options);

  test("names the pick, the changes and how sure they are", () => {
    const text = told(without(before), slower(without(again), 1.5, "unix"));
    expect(text).toMatch(/^Against the run of \d{4}-\d\d-\d\d \d\d:\d\d UTC \(old\.json\)/);
    expect(text).toMatch(/The pick is still \S+\./);
    expect(text).toMatch(/unix +round-trip, 64 B, event loop, two CPUs .* 1\.\d+× .*slower/);
    expect(text).toMatch(/\d+ of \d+ cells slower; \d+ faster; \d+ not told apart/);
    expect(text).toMatch(/Unpaired, since.*all\s+intervals hold together with\s+95 %/s);
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test("is the same in the page and in the summary, with every cell and how it was compared", async () => {
    const later = slower(without(again), 1.5, "unix");
    const against = changesSince(without(before), { ...later, measurements: later.measurements.slice(1) }, "old.json");
    const report = { ...later, against };
    const [page, summary] = [await renderHtml(report), renderMarkdown(report)];
    const section = /<section id="against">.*?<\/section>/s.exec(page)?.[0] ?? "";
    const cells = against.rows.length;
    expect(section.match(/<tr>/g)).toHaveLength(cells + 3);
    expect(section).toMatch(/<h2>Against the run of [\d: -]+ UTC<\/h2>/);
    expect(section).toMatch(/<td class="text">unpaired<\/td><td class="text">slower<\/td>/);
    expect(section).toMatch(/this run did not measure it/);
    const changed = summary.slice(summary.indexOf("**Against the run of"), summary.indexOf("**Checks:**"));
    const folded = summary.match(/<summary>\d+ cells? not .*?<\/details>/gs) ?? [];
    expect([changed, ...folded].join("").match(/^\| `/gm)).toHaveLength(cells);
    expect(await renderHtml(later)).not.toContain('id="against"');
  });

  test("names another pick, a tie, and another question", () => {
    const pick = before.pick as NonNullable<Report["pick"]>;
    const to = (transport: string, ties: string[]): Report => ({ ...again, pick: { ...pick, transport, ties } });
    expect(told(before, to("shm/futex", [pick.transport]))).toMatch(
      new RegExp(`The pick was ${pick.transport} and is now shm/futex, with which ${pick.transport} is tied\\.`),
    );
    const other = { ...again, pick: { ...pick, workload: { ...pick.workload, payloads: [1] } } };
    expect(told(before, other)).toMatch(/question is another one, so the picks are not compared/);
    expect(told({ ...before, pick: null }, again)).toMatch(/There was no pick; now /);
    const among = (ids: readonly string[]): Report => ({
      ...again,
      candidates: ids.map((transport) => ({ transport, status: "in", why: "named", shown: [], open: [] })),
    });
    const [unix, tcp] = [among(["unix", "fifo"]), among(["fifo", "tcp"])];
    expect(told(unix, tcp)).toMatch(/The candidates differ: unix only then; tcp only now\./);
    expect(told(unix, unix)).not.toContain("candidates differ");
  });
});
