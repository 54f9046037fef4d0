import { expect, test } from "vitest";
import type { CheckResult, Report } from "../harness/results/model.ts";
import { renderMarkdown } from "./markdown.ts";
import { fixtureReport } from "./testing/fixture.ts";

const report = fixtureReport();

test("the summary begins with the verdict and names what failed", () => {
  const text = renderMarkdown(report);
  expect(text).toMatch(/^## ipcmark\n\n\*\*Use unix: /);
  expect(text).toContain("- ✗ `posix-mq` `server-crash`: the client still waited after 1000 ms");
  expect(text).toContain("| failed: 2 messages lost in round 3");
  expect(text).toMatch(/\| `unix` \| .*\| not distinguishable \|/);
});

test("every table row has as many cells as its head", () => {
  const rows = renderMarkdown(report)
    .split("\n")
    .filter((line) => line.startsWith("| "));
  expect(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length))).toEqual(new Set([10]));
});

test("a report larger than a step summary allows is cut with a note, not refused", () => {
  const check: CheckResult = { ...(report.checks[0] as CheckResult), status: "failed", reason: "x".repeat(100) };
  const cells = Array.from({ length: 200 }, () => report.measurements).flat();
  const sizes = cells.map((cell, index) => ({ ...cell, payloadBytes: index }));
  const large: Report = { ...report, checks: Array(2000).fill(check), measurements: sizes };
  const text = renderMarkdown(large);
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
  expect(text).toContain("Cut here");
});

test("text from a report is never markup", () => {
  const reason = "</details><script>alert(1)</script> | @everyone `x` [y](z)";
  const check: CheckResult = { ...(report.checks[0] as CheckResult), status: "failed", reason };
  const text = renderMarkdown({ ...report, checks: [check], measurements: [] });
  expect(text).not.toMatch(/<script|@everyone|\[y\]\(/);
  expect(text).toContain("&#64;everyone");
});

test("a run without measurements has no sentence on a pick", () => {
  expect(renderMarkdown({ ...report, measurements: [], pick: null })).not.toContain("No pick");
  expect(renderMarkdown({ ...report, pick: null })).toContain("No pick");
});
