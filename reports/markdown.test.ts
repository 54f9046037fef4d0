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

test("failures stand mechanism by mechanism, also of a report that has them in the order in which they ended", () => {
  const one = { ...(report.checks[0] as CheckResult), status: "failed", reason: "it broke" } as const;
  const ended = [
    ["tcp", "b"],
    ["unix", "a"],
    ["tcp", "c"],
  ] as const;
  const checks = ended.map(([transport, scenario]) => ({ ...one, transport, scenario }));
  const lines = renderMarkdown({ ...report, checks }).match(/(?<=^- ✗ )`\S+` `\S+`/gm);
  expect(lines).toEqual(["`tcp` `b`", "`tcp` `c`", "`unix` `a`"]);
});

test("every row of a table has as many cells as its head", () => {
  const tables = renderMarkdown(report)
    .split("\n\n")
    .map((part) => part.split("\n").filter((line) => line.startsWith("| ")))
    .filter((rows) => rows.length > 0);
  expect(tables.length).toBeGreaterThan(10);
  for (const rows of tables) expect(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length)).size).toBe(1);
});

test.each([
  ["a pull request", undefined, 60_000],
  ["a step of CI", 20_000, 20_000],
] as const)("leaves out whole sections from the end where %s has no room, and names them", (_, limit, bytes) => {
  const check: CheckResult = { ...(report.checks[0] as CheckResult), status: "failed", reason: "x@".repeat(1000) };
  const cells = Array.from({ length: 10 }, () => report.measurements).flat();
  const sizes = cells.map((cell, index) => ({ ...cell, payloadBytes: index }));
  const warnings = Array.from({ length: 50 }, () => ({ id: "crash" as const, text: "@".repeat(5000), where: {} }));
  const large: Report = { ...report, checks: Array(300).fill(check), measurements: sizes, warnings };
  for (const one of [large, { ...large, checks: [], warnings: [] }]) {
    const text = renderMarkdown(one, limit);
    expect(Buffer.byteLength(text)).toBeLessThan(bytes);
    expect(text).toMatch(/^## ipcmark\n\n\*\*Use unix: /);
    expect(text).toMatch(
      /_Left out, since this text holds at most \d\d kB: [^\n]+; \d+ more\. report\.json and [^\n]+_\n$/,
    );
    expect(text.match(/<details/g)?.length ?? 0).toBe(text.match(/<\/details>/g)?.length ?? 0);
  }
  expect(renderMarkdown(report, limit)).not.toContain("Left out");
});

test("names the run, the command that repeats it, and what each mechanism did in its checks", () => {
  const text = renderMarkdown({ ...report, startedFrom: "clone" });
  expect(text).toContain("Again: `npm run compare -- --seed 7`");
  expect(text).toContain("| mechanism | failed | passed | not applicable | unavailable |");
  expect(text).toContain("| `posix-mq` | 1 | 5 | 0 | 0 |");
  expect(text).toMatch(/\| `loopback` \| 0 \| 5 \| 1 \| 0 \|\n\n/);
  const untried = report.checks.map((check) => ({ ...check, status: "not-examined" as const }));
  expect(renderMarkdown({ ...report, checks: untried })).toContain("| not applicable | not examined | unavailable |");
  expect(text).toContain("- unavailable here: `zeromq/dealer-router`: the zeromq package could not be loaded");
  expect(renderMarkdown({ ...report, commandLine: "ipcmark compare; rm -rf x" })).not.toContain("Again");
});

test("text from a report is never markup", () => {
  const reason = "</details><script>alert(1)</script> | @everyone `x` [y](z)";
  const check: CheckResult = { ...(report.checks[0] as CheckResult), status: "failed", reason };
  const text = renderMarkdown({ ...report, checks: [check], measurements: [] });
  expect(text).not.toMatch(/<script|@everyone|\[y\]\(/);
  expect(text).toContain("&#64;everyone");
});

test("an id or a size never ends the cell of its table or the line to click", () => {
  const evil = "a|b\\|c`d`</summary><script>\n| x | y |";
  const measurements = report.measurements.map((cell) => ({ ...cell, transport: evil, benchmark: evil }));
  const text = renderMarkdown({ ...report, measurements, pick: null });
  expect(text).not.toMatch(/<script|^\| x \|/m);
  const rows = text.split("\n").filter((line) => line.startsWith("| <code>a"));
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) expect(row.replaceAll("\\\\", "").split(/(?<!\\)\|/)).toHaveLength(10);
});

test("a run without measurements has no sentence on a pick", () => {
  expect(renderMarkdown({ ...report, measurements: [], pick: null })).not.toContain("No pick");
  expect(renderMarkdown({ ...report, pick: null })).toContain("No pick");
});
