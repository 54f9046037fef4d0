import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { answer } from "../../reports/terminal/index.ts";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import type { Report } from "../results/model.ts";
import { linesOfAnswer, MOST_LINES } from "./output.ts";
import { reportCommand } from "./report.ts";

const report = fixtureReport();
const pick = report.pick as NonNullable<Report["pick"]>;

/** Text of so many words, of which each takes 7 columns. */
const text = (words: number): string => Array(words).fill("wording").join(" ");
const words = (most: number): fc.Arbitrary<string> => fc.integer({ min: 1, max: most }).map(text);
const many = (most: number): fc.Arbitrary<string[]> => fc.array(words(40), { maxLength: most });

test("an answer, its warnings and the names of example and files have at most 30 lines of 100 columns", () => {
  const reasons = many(9);
  const out = many(9).map((all) => all.map((reason, at) => ({ transport: `out-${at}`, reason })));
  const others = many(3).map((all) =>
    all.map((sentence, at) => ({ transport: `other-${at}`, mode: "blocking" as const, sentence })),
  );
  const warnings = fc.array(words(22), { maxLength: 5 }).map((all) => all.map((each, at) => `${at} ${each}`));
  fc.assert(
    fc.property(words(60), reasons, out, others, warnings, (sentence, reasons, ruledOut, alternatives, warned) => {
      const long = { ...report, pick: { ...pick, sentence, reasons, ruledOut, alternatives, otherServers: [] } };
      const below = warned.map((each) => ({ id: "unclassified" as const, text: each, where: {} }));
      const most = linesOfAnswer(below, 3);
      const lines = stripVTControlCharacters(answer(long, { columns: 100 }, most)).split("\n");
      expect(lines.length).toBeLessThanOrEqual(most);
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
      // Up to 3 warnings of two lines, one line that counts the others, and a blank one.
      expect(most).toBeGreaterThanOrEqual(MOST_LINES - 3 - 8);
      if (warned.length === 0) expect(most).toBe(MOST_LINES - 3);
    }),
    { numRuns: 60 },
  );
});

// Once the line advertised --tables, which report did not accept.
test("what an answer has no room for is printed by the command that it names", () => {
  const lastLine = (columns: number, path?: string): string =>
    stripVTControlCharacters(answer({ ...report, startedFrom: "package" }, { columns }, 12, path))
      .split("\n")
      .at(-1) ?? "";
  expect(lastLine(100)).toMatch(/^ {2}… \d+ more in the report; all tables: npx ipcmark report$/);
  expect(lastLine(100, "my out/report.json")).toMatch(/; all tables: npx ipcmark report 'my out\/report\.json'$/);
  expect(lastLine(60, `${"long/".repeat(9)}report.json`)).toMatch(/^ {2}… \d+ more in the report$/);
  expect(reportCommand().parseOptions(["--tables"]).unknown).toEqual([]);
});
