import { describe, expect, it } from "vitest";
import { junitOf } from "./junit.ts";
import { exitCodeOf, type GateRow } from "./result.ts";
import { summaryOf } from "./summary.ts";
import { DEFAULT_RULE, evidenceOf, judge, type Pair, settledByScreen, suspiciouslyFast } from "./verdict.ts";

/** Makes pairs in which head takes `ratio` times as long, with a fixed scatter of a few percent. */
function pairs(ratio: number, count = 20, scatter = 0.02): Pair[] {
  return Array.from({ length: count }, (_, index) => {
    const noise = Math.exp(scatter * Math.sin(index * 2.4));
    return { base: 1000, head: 1000 * ratio * noise };
  });
}

const evidence = (ratio: number, count?: number, scatter?: number) =>
  evidenceOf(pairs(ratio, count, scatter), Math.random);

describe("the rule of the gate", () => {
  it("passes equal sides at the first look", () => {
    expect(settledByScreen(evidence(1, 10), DEFAULT_RULE)).toBe(true);
    expect(judge(evidence(1), DEFAULT_RULE, 1)).toBe("not-slower");
  });

  it("sees 30 %, and 6 %, and lets 2 % pass", () => {
    expect(judge(evidence(1.3), DEFAULT_RULE, 8)).toBe("regression");
    expect(judge(evidence(1.06), DEFAULT_RULE, 8)).toBe("regression");
    expect(judge(evidence(1.02), DEFAULT_RULE, 8)).toBe("not-slower");
    expect(settledByScreen(evidence(1.3, 10), DEFAULT_RULE)).toBe(false);
  });

  it("cannot decide where the scatter hides a slowdown of the size it must exclude", () => {
    expect(judge(evidence(1, 8, 1), DEFAULT_RULE, 1)).toBe("undecided");
  });

  it("never takes a missing number for a good one", () => {
    const broken = evidenceOf([{ base: 1000, head: Number.NaN }], Math.random);
    expect(judge(broken, DEFAULT_RULE, 1)).toBe("undecided");
    expect(judge(evidenceOf(pairs(1, 5), Math.random), DEFAULT_RULE, 1)).toBe("undecided");
  });

  it("calls half the time suspicious", () => {
    expect(suspiciouslyFast(evidence(0.3))).toBe(true);
    expect(suspiciouslyFast(evidence(0.8))).toBe(false);
  });
});

const cell = { transport: 'a<b&"c"', mode: "event", placement: "same-cpu", payloadBytes: 64 } as const;
const row = (outcome: GateRow["outcome"]): GateRow => ({ cell, outcome, reason: "why | not", notes: [] });
const result = (rows: readonly GateRow[]) => ({
  complete: true,
  base: "main",
  seed: 1,
  rule: DEFAULT_RULE,
  durationMs: 1234,
  rows,
  warnings: [],
});

describe("the exit code", () => {
  it("is 22 when any cell is missing or there is none, whatever the others say", () => {
    expect(exitCodeOf([])).toBe(22);
    expect(exitCodeOf([row("missing"), row("regression"), row("not-slower")])).toBe(22);
  });

  it("is 20 before 21 before 0", () => {
    expect(exitCodeOf([row("undecided"), row("regression")])).toBe(20);
    expect(exitCodeOf([row("undecided"), row("not-slower")])).toBe(21);
    expect(exitCodeOf([row("not-slower")])).toBe(0);
  });
});

describe("what a CI server shows", () => {
  it("is JUnit in which nothing is skipped and names are escaped", () => {
    const xml = junitOf(result([row("regression"), row("undecided"), row("missing"), row("not-slower")]));
    expect(xml).toContain('tests="4" failures="2" errors="1" skipped="0" time="1.234"');
    expect(xml).toContain("a&lt;b&amp;&quot;c&quot;");
    expect(xml).not.toContain("a<b");
  });

  it("is a summary with the worst first and no broken table", () => {
    const text = summaryOf(result([row("not-slower"), row("missing")]));
    expect(text.indexOf("did not run")).toBeLessThan(text.indexOf("not slower"));
    expect(text).toContain("why \\| not");
  });
});
