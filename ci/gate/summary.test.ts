import { expect, test } from "vitest";
import { junitOf } from "./junit.ts";
import type { GateResult } from "./result.ts";
import { summaryOf } from "./summary.ts";
import { DEFAULT_RULE } from "./verdict.ts";

const EVIL = "x\u001b[2J\u202e\n| `a` <script> [y](z) @everyone \ufffe\ud800";
const result: GateResult = {
  base: EVIL,
  seed: 1,
  rule: DEFAULT_RULE,
  durationMs: 10,
  complete: true,
  rows: [
    {
      cell: { transport: EVIL, mode: "event", placement: "same-cpu", payloadBytes: 64 },
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
  expect(row.split(/(?<!\\)\|/)).toHaveLength(5);
  expect(row).not.toMatch(/<script|@everyone|\[y\]\(/);
  expect(row).toContain("&#64;everyone");
});

test("text of a module is well-formed in JUnit XML", () => {
  const xml = junitOf(result);
  expect(xml).not.toMatch(/(?!\n)[\p{Cc}\p{Cs}\ufffe\uffff]|<script/u);
  expect(xml).toContain("x\\x1b[2J\\u202e&#10;| `a` &lt;script&gt;");
});
