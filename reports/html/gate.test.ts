import { expect, test } from "vitest";
import { fixtureReport } from "../testing/fixture.ts";
import { type ForestRow, scaleOf, ticksOf } from "./forest.ts";
import { type GatePage, type GatePageRow, renderGate } from "./gate.ts";

const EVIL = `</style><script>alert(1)</script>"'<!--`;
const figures = { base: "18.0 µs", head: "20.0 µs", change: "+2 µs, +11.0 %", interval: "+8.0 to +14.0 %" };
const slower: GatePageRow = {
  ...{ name: "tcp 64 B p50", cell: "tcp 64 B", metric: "p50", ...figures, sees: "+900 ns, +5.0 %", pairs: "10" },
  ...{ verdict: "slower", reason: "", notes: [], value: "+11.0 % (+8.0 to +14.0 %)", tone: "bad" },
  ...{ estimate: 0.11, range: [0.08, 0.14], bound: 0.16, tolerance: 0.2 },
};
const gate: GatePage = {
  environment: fixtureReport({ trials: 1, placements: ["same-cpu"], payloads: [64] }).environment,
  startedAt: "2026-11-28T06:00:00.000Z",
  sentence: "regression: tcp is slower",
  notices: [],
  rows: [slower, { ...slower, name: EVIL, cell: EVIL, reason: EVIL, notes: [EVIL], value: EVIL, verdict: EVIL }],
  budgets: [EVIL],
  warnings: [{ text: EVIL }],
  facts: [[EVIL, EVIL]],
  loaded: [[EVIL, [EVIL]]],
  ipcmark: EVIL,
};

/** Places of the marks of a row, in percent of the axis. */
function places(page: string, kind: string): number[] {
  const [first = ""] = page.match(/<svg width[\s\S]*?<\/svg>/) ?? [];
  const mark = first.split("<").find((each) => each.includes(`class="${kind}`)) ?? "";
  return [...mark.matchAll(/(?:x1|x2|x|cx|width)="([\d.]+)%"/g)].map(([, text]) => Number(text));
}

test("the page of a gate has no script, loads nothing, and shows hostile text as text", async () => {
  const page = await renderGate({ ...gate, sentence: EVIL, notices: [EVIL] });
  expect(page).not.toMatch(/<script|<!--|https?:|url\(|src=/);
  expect(page.match(/<\/style>/g)).toHaveLength(1);
  expect(page).toContain("default-src &#39;none&#39;; style-src &#39;sha256-");
  // An attribute for style would be blocked by the policy.
  expect(page).not.toContain(" style=");
});

test("a note names its row, also where the row of a command has no metric", async () => {
  const page = await renderGate({ ...gate, rows: [{ ...slower, name: "rate (s)", metric: "", notes: ["a note"] }] });
  expect(page).toContain("<li>rate (s): a note");
});

test("a row has its point in its interval, its bound beyond, and the band up to the tolerance", async () => {
  const page = await renderGate({ ...gate, rows: [slower] });
  const [zero = 0] = places(page, "zero");
  const [low = 0, high = 0] = places(page, "range");
  const [point = 0] = places(page, "point");
  const [bound = 0] = places(page, "bound");
  const [start, width = 0] = places(page, "band");
  expect([zero, low, point, high, bound, zero + width].every((at, index, all) => at > (all[index - 1] ?? 0))).toBe(
    true,
  );
  expect(start).toBe(zero);
  // The axis is linear: 8, 11, 14 of 20 parts.
  expect((point - zero) / width).toBeCloseTo(0.55, 2);
  expect(page).not.toContain('class="arrow"');
});

test("a change far beyond the tolerance becomes an arrow and leaves the others their width", async () => {
  const far: ForestRow = {
    name: "far",
    value: "",
    tone: "bad",
    estimate: 18,
    range: [17, 19],
    bound: 20,
    tolerance: 0.2,
  };
  expect(scaleOf([slower, far]).high).toBeLessThan(0.5);
  const page = await renderGate({ ...gate, rows: [{ ...slower, ...far }] });
  expect(page).toContain('<path class="arrow" d="M-8');
  expect(page).not.toContain('class="point');
  expect(scaleOf([]).high).toBeGreaterThan(0.2);
});

test("the axis has round places, no change among them", () => {
  expect(ticksOf({ low: -0.06, high: 0.23 }).map((share) => Math.round(share * 100))).toEqual([0, 10, 20]);
  for (const high of [0.021, 0.3, 1.1, 9]) expect(ticksOf({ low: -0.5, high })).toContain(0);
});

test("a long verdict is a head line and a list, and a row without figures has its reason", async () => {
  const sentence = `regression: ${"tcp is slower; ".repeat(12)}done`;
  const page = await renderGate({ ...gate, sentence, rows: [{ ...slower, reason: "head: lost 3 messages" }] });
  expect(page).toContain("<h1>regression: tcp is slower</h1><ul>");
  expect(page).toMatch(/colspan="6">head: lost 3 messages<\/td>/);
});
