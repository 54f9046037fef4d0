import { expect, test } from "vitest";
import type { Environment } from "../../harness/results/model.ts";
import { markdownText } from "../../reports/markdown-text.ts";
import { junitOf } from "./junit.ts";
import { gateIn } from "./load-gate.ts";
import { storedGate } from "./page.ts";
import { exitCodeOf, type GateResult, type GateRow } from "./result.ts";
import { summaryOf } from "./summary.ts";
import { storedGateFixture } from "./testing/stored-gate.ts";
import { DEFAULT_RULE } from "./verdict.ts";
import { budgetLines, tableOf } from "./words.ts";

const EVIL = "x\u001b[2J\u202e\n| `a` <script> [y](z) @everyone \ufffe\ud800";
const result: GateResult = {
  base: EVIL,
  seed: 1,
  rule: DEFAULT_RULE,
  durationMs: 10,
  complete: true,
  startedAt: "2026-11-28T00:00:00.000Z",
  commits: { base: null, head: null },
  dirty: false,
  environment: {} as Environment,
  budgets: [],
  pairs: [],
  strict: false,
  rows: [
    {
      cell: { transport: EVIL, mode: "event", placement: "same-cpu", payloadBytes: 64 },
      metric: "p50",
      outcome: "missing",
      reason: EVIL,
      notes: [EVIL],
    },
  ],
  warnings: [{ id: "module-refused", text: EVIL, where: {} }],
};

test("text of a module is neither markup nor a second line of a step summary", () => {
  const summary = summaryOf(result);
  expect(summary).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
  const [row = "", ...more] = summary.split("\n").filter((line) => line.includes("**did not run**"));
  expect(more).toEqual([]);
  expect(row.split(/(?<!\\)\|/)).toHaveLength(9);
  expect(row).not.toMatch(/<script|@everyone|\[y\]\(/);
  expect(row).toContain("&#64;everyone");
});

const cell = { transport: "unix", mode: "event", placement: "same-cpu", payloadBytes: 64 } as const;
const row = (outcome: GateRow["outcome"]): GateRow => ({ cell, metric: "p50", outcome, reason: "why", notes: [] });

test("a step summary has the worst first, and JUnit skips nothing", () => {
  const rows = (["not-slower", "missing", "regression", "undecided", "broken"] as const).map(row);
  const text = summaryOf({ ...result, rows });
  const at = ["did not run", "broken", "slower", "cannot decide", "not slower"].map((word) =>
    text.indexOf(`| ${word}`),
  );
  const loud = ["**did not run**", "**broken**", "**slower**"].map((word) => text.indexOf(word));
  expect(loud.toSorted((a, b) => a - b)).toEqual(loud);
  expect(Math.min(...loud)).toBeGreaterThan(0);
  expect(at[3]).toBeLessThan(at[4] ?? 0);
  expect(junitOf({ ...result, rows, durationMs: 1234 })).toContain(
    'tests="5" failures="3" errors="1" skipped="0" time="1.234"',
  );
});

test("a base that cannot be prepared is the one sentence of the summary, of JUnit and of a stored gate", () => {
  const baseFailure = '"make" failed in the base: no compiler; mend --base-setup, or use --base-dir';
  const failed: GateResult = { ...storedGateFixture(), baseFailure, rows: [], budgets: [], pairs: [], warnings: [] };
  const { looks: _, ...unmeasured } = failed;
  expect(exitCodeOf(unmeasured)).toBe(22);
  const [head, ...rest] = summaryOf(unmeasured).split("\n\n");
  expect(head).toBe(`### incomplete: ${markdownText(baseFailure)}`);
  expect(rest.join()).not.toContain("|");
  const xml = junitOf(unmeasured);
  expect(xml).toContain('tests="1" failures="0" errors="1" skipped="0"');
  expect(xml).toContain('<error type="missing" message="&quot;make&quot; failed in the base: no compiler; mend');
  const { page, found } = storedGate(gateIn(JSON.parse(JSON.stringify(unmeasured)), "gate.json", ""));
  expect([page.sentence, found.differences]).toEqual([`incomplete: ${baseFailure}`, []]);
});

test("a step summary stays below 20 kB, and counts the rows that it leaves out", () => {
  const many = (text: string): GateResult => ({
    ...result,
    rows: Array.from({ length: 300 }, () => ({ ...row("broken"), cell: { ...cell, transport: text }, reason: text })),
    warnings: Array.from({ length: 300 }, () => ({ id: "crash", text, where: {} })),
  });
  expect(summaryOf(many("unix"))).toContain("… and 260 more rows");
  for (const text of ["unix", EVIL.repeat(50), "@".repeat(5000)])
    expect(Buffer.byteLength(summaryOf(many(text)))).toBeLessThan(20_000);
  expect(summaryOf(many("@".repeat(5000)))).toContain("Left out");
});

test("text of a module is well-formed in JUnit XML", () => {
  const xml = junitOf(result);
  expect(xml).not.toMatch(/(?!\n)[\p{Cc}\p{Cs}\ufffe\uffff]|<script/u);
  expect(xml).toContain("x\\x1b[2J\\u202e&#10;| `a` &lt;script&gt;");
});

test("a table of a terminal keeps to 100 columns, whatever the names and reasons", () => {
  const evidence = {
    pairs: 30,
    looks: 3,
    p: 0.0001234,
    effect: { ratio: 1.2345, interval: [1.1234, 1.3456] as const },
    excluded: 2,
  };
  const long = { ...cell, transport: "zeromq/dealer-router", mode: "blocking", placement: "two-cpus" } as const;
  const figures = { evidence, base: 123_456, head: 152_407, detectable: 0.1234, notes: ["note ".repeat(30)] } as const;
  const rows: GateRow[] = [
    { cell: { ...long, payloadBytes: 262_144 }, metric: "throughput", outcome: "regression", ...figures },
    { cell, metric: "p99", isExtra: true, outcome: "untold", reason: "its pairs scatter too much", ...figures },
    { cell: { module: "./served.mjs" }, metric: "p50", outcome: "missing", reason: "word ".repeat(60), notes: [] },
  ];
  const budget = {
    cell,
    metric: "p50",
    atMost: "2 x C",
    isAbsolute: false,
    most: { factor: 2, of: "C" },
    outcome: "untold",
  } as const;
  const lines = [...tableOf(rows).split("\n"), ...budgetLines([{ ...budget, reason: "why ".repeat(40) }])];
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  expect(lines.slice(0, 3)).toEqual([
    expect.stringMatching(/^cell +base +head +change +verdict$/),
    "zeromq/dealer-router (blocking, two-cpus) 262144 B throughput",
    expect.stringMatching(/^ {40} +8\.10 k\/s +6\.56 k\/s +\+23\.4 % +SLOWER$/),
  ]);
  expect(lines.join("\n")).toContain("+12.3 to +34.6 %, 95 % interval; could see");
});
