import { describe, expect, it } from "vitest";
import { randomFrom } from "../../harness/results/random.ts";
import { exitCodeOf, type GateRow } from "./result.ts";
import {
  DEFAULT_RULE,
  detectable,
  type Evidence,
  evidenceOf,
  judge,
  pairsToDecide,
  type Question,
  type State,
  shareOfLook,
  suspiciouslyFast,
} from "./verdict.ts";

const STEP = 10;
const question = (affordable: number, cells = 8): Question => {
  return { ...DEFAULT_RULE, alpha: DEFAULT_RULE.alpha / cells, affordable, step: STEP };
};

/** Makes log ratios of pairs in which head takes `ratio` times as long, with a fixed scatter of a few percent. */
function logs(ratio: number, count: number, scatter = 0.02): number[] {
  return Array.from({ length: count }, (_, index) => Math.log(ratio) + scatter * Math.sin(index * 2.4 + 1));
}

const stateOf = (ratio: number, look: number, affordable: number, scatter?: number): State =>
  judge(evidenceOf(logs(ratio, look * STEP, scatter), look), question(affordable));

/** Runs a whole gate of one cell on normal scatter. */
function gate(slowdown: number, scatter: number, most: number, random: () => number): [State, Evidence] {
  const differences: number[] = [];
  for (let look = 1; ; look++) {
    for (let pair = 0; pair < STEP; pair++) {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      differences.push(Math.log1p(slowdown) + scatter * normal);
    }
    const evidence = evidenceOf(differences, look);
    const state = judge(evidence, question(most - differences.length));
    if (state !== "open") return [state, evidence];
  }
}

function shareOf(wanted: State, slowdown: number, scatter: number, most = 40, gates = 300): number {
  const random = randomFrom(3);
  const found = Array.from({ length: gates }, () => gate(slowdown, scatter, most, random)[0]);
  return found.filter((state) => state === wanted).length / gates;
}

describe("the rule of the gate", () => {
  it("passes equal sides at the first look, and goes on where there is a hint", () => {
    expect(stateOf(1, 1, 30)).toBe("not-slower");
    expect(stateOf(1.08, 1, 30)).toBe("open");
  });

  it("sees 30 %, and 6 %, and lets 2 % pass", () => {
    expect(stateOf(1.3, 2, 30)).toBe("regression");
    expect(stateOf(1.06, 2, 30)).toBe("regression");
    expect(stateOf(1.02, 2, 30)).toBe("not-slower");
  });

  it("cannot decide where the scatter hides a slowdown of the size it must exclude and no time is left", () => {
    expect(stateOf(1, 1, 30, 1)).toBe("open");
    expect(stateOf(1, 1, 0, 1)).toBe("undecided");
    // It stops early where the rest of the budget cannot help.
    expect(stateOf(1, 2, 10, 1)).toBe("undecided");
  });

  it("never takes a missing number for a good one", () => {
    expect(judge(evidenceOf([Number.NaN, ...logs(1, 9)], 1), question(0))).toBe("undecided");
    expect(judge(evidenceOf([], 1), question(0))).toBe("undecided");
    expect(judge(evidenceOf(logs(1, 5), 1), question(0))).toBe("undecided");
  });

  it("spends no more than its level over all looks", () => {
    const spent = Array.from({ length: 1000 }, (_, index) => shareOfLook(index + 1)).reduce((sum, each) => sum + each);
    expect(spent).toBeLessThan(1);
    expect(spent).toBeGreaterThan(0.99);
  });

  it("finds the slowdown of the tolerance and passes equal sides, on pairs that scatter by 10 %", () => {
    expect(shareOf("regression", 0.2, 0.1)).toBeGreaterThan(0.97);
    expect(shareOf("not-slower", 0.2, 0.1)).toBeLessThan(0.025);
    expect(shareOf("not-slower", 0, 0.1)).toBeGreaterThan(0.97);
    expect(shareOf("regression", 0, 0.1)).toBeLessThan(0.01);
  });

  it("finds the slowdown that it says it can see about four times in five", () => {
    const evidence = evidenceOf(logs(1, 20, 0.141), 2);
    const seen = detectable(evidence, question(0), 40) ?? Number.NaN;
    expect(seen).toBeGreaterThan(0.05);
    const found = shareOf("regression", seen, 0.1);
    expect(found).toBeGreaterThan(0.7);
    expect(found).toBeLessThan(0.88);
  });

  it("guesses how many more pairs would decide", () => {
    const open = evidenceOf(logs(1, 10, 0.4), 1);
    const more = pairsToDecide(open, question(0)) ?? 0;
    expect(more).toBeGreaterThan(10);
    const later = evidenceOf(logs(1, 10 + more + STEP, 0.4), 1 + more / STEP + 1);
    expect(judge(later, question(0))).toBe("not-slower");
    expect(pairsToDecide(evidenceOf(logs(1, 10, 30), 1), question(0))).toBeUndefined();
  });

  it("calls half the time suspicious", () => {
    expect(suspiciouslyFast(evidenceOf(logs(0.3, 10), 1))).toBe(true);
    expect(suspiciouslyFast(evidenceOf(logs(0.8, 10), 1))).toBe(false);
  });
});

describe("the exit code", () => {
  const cell = { transport: "unix", mode: "event", placement: "same-cpu", payloadBytes: 64 } as const;
  const row = (outcome: GateRow["outcome"], more: Partial<GateRow> = {}): GateRow => {
    return { cell, metric: "p50", outcome, notes: [], ...more };
  };
  const codeOf = (rows: readonly GateRow[], strict = false): number => exitCodeOf({ rows, budgets: [], strict });

  it("is 22 when any cell is missing or there is none, whatever the others say", () => {
    expect(codeOf([])).toBe(22);
    expect(codeOf([row("missing"), row("regression"), row("not-slower")])).toBe(22);
    expect(codeOf([row("new")])).toBe(22);
  });

  it("is 20 before 21 before 0", () => {
    expect(codeOf([row("undecided"), row("regression")])).toBe(20);
    expect(codeOf([row("undecided"), row("broken")])).toBe(20);
    expect(codeOf([row("undecided"), row("not-slower")])).toBe(21);
    expect(codeOf([row("not-slower")])).toBe(0);
  });

  it("is not changed by a tail that nobody asked for, by one side's own cells, and by an accepted regression", () => {
    const accepted = row("regression", { accepted: { until: "2026-12-31", reason: "known" } });
    const extra = row("untold", { metric: "p99", isExtra: true });
    const rows = [row("not-slower"), extra, row("new"), row("gone"), accepted];
    expect(codeOf(rows)).toBe(0);
    expect(codeOf(rows, true)).toBe(20);
    expect(codeOf([row("not-slower"), row("untold", { metric: "p99" })])).toBe(21);
  });

  it("is 20 over a budget and 21 where the interval contains it", () => {
    const most = { ns: 80_000 };
    const budget = { cell, metric: "p50", atMost: "80.0 µs", isAbsolute: true, most, found: 90_000 } as const;
    const codeWith = (outcome: "kept" | "broken" | "undecided"): number =>
      exitCodeOf({ rows: [row("not-slower")], budgets: [{ ...budget, outcome }], strict: false });
    expect([codeWith("kept"), codeWith("broken"), codeWith("undecided")]).toEqual([0, 20, 21]);
  });
});
