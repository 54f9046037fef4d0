import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Report } from "../harness/results/model.ts";
import { blocksOf } from "./blocks.ts";
import { renderHtml } from "./html/render.ts";
import { viewOf } from "./html/view.ts";
import { renderMarkdown } from "./markdown.ts";
import { answer, compareTables, pickParagraph } from "./terminal/index.ts";
import { fixtureReport } from "./testing/fixture.ts";

const SENTENCE = "tcp (server in python) takes 30.1 µs: 1.40 times as long as unix (1.38 to 1.43).";
const fixture = fixtureReport();
const peer = { language: "python", version: "3.11.7" };
const report: Report = {
  ...fixture,
  measurements: fixture.measurements.map((cell) => (cell.transport === "tcp" ? { ...cell, peer } : cell)),
  pick: {
    ...(fixture.pick as NonNullable<Report["pick"]>),
    otherServers: [{ transport: "tcp", mode: "event", language: "python", sentence: SENTENCE }],
  },
};

test("a server in another language has the same line in the terminal, on the page and in the summary", async () => {
  const plain = (text: string): string => stripVTControlCharacters(text).replace(/\s+/g, " ");
  const line = `blocking server: ${SENTENCE}`;
  expect(plain(answer(report, { columns: 200 }))).toContain(line);
  expect(plain(pickParagraph(report, { columns: 200 }))).toContain(line);
  expect(renderMarkdown(report)).toContain(`- blocking server: ${SENTENCE}`);
  const page = plain(await renderHtml(report)).replaceAll("\u00a0", " ");
  expect(page).toContain(`<dt><code>tcp</code> <span>blocking server</span></dt> <dd>${SENTENCE}</dd>`);
});

test("it is ranked in a class of its own in every table", () => {
  const blocks = blocksOf(report).filter(({ ranked }) => ranked.length > 0);
  for (const { ranked, waits } of blocks)
    for (const { cell } of ranked)
      expect(waits).toBe(cell.transport === "tcp" && cell.mode === "event" ? "blocking-server" : cell.mode);
  expect(blocks.some(({ waits }) => waits === "blocking-server")).toBe(true);
  const text = stripVTControlCharacters(compareTables(report));
  expect(text).toMatch(/^blocking server\n(?: .*\n)*? {2}tcp \(python\) /m);
  const { cells, modes } = viewOf(report);
  expect(modes).toContainEqual({ id: "blocking-server", label: "blocking server" });
  for (const { name, mode } of cells) expect(name.includes("(python)") && mode === "event").toBe(false);
});
