import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { pick } from "../harness/pick/pick.ts";
import { mixText } from "../harness/results/format.ts";
import type { Report } from "../harness/results/model.ts";
import { QUESTION, recordOf, rowOf } from "../harness/testing/synthetic-report.ts";
import { renderHtml } from "./html/render.ts";
import { viewOf } from "./html/view.ts";
import { renderMarkdown } from "./markdown.ts";
import { answer, compareTables } from "./terminal/index.ts";
import { fixtureReport } from "./testing/fixture.ts";

const MEAN = 467;
const mix = [
  { bytes: 64, share: 0.9 },
  { bytes: 4096, share: 0.1 },
];
const change = { benchmark: "workload", model: "workload", payloadBytes: MEAN, mix };
const measurements = [
  rowOf("unix", [10, 11, 12, 13, 14, 15], change),
  rowOf("tcp", [20, 22, 24, 26, 28, 30], change),
  { ...rowOf("fifo", [1], change), status: "not-applicable" as const, reason: "not this one" },
];
const transports = ["unix", "tcp", "fifo"].map((id) => recordOf(id));
const question = { ...QUESTION, payloads: [MEAN], benchmark: "workload" };
const found = pick({ transports, checks: [], measurements }, question);
const report: Report = { ...fixtureReport(), transports, checks: [], measurements, pick: found };

test("a mix has its parts as its label wherever a row has a size, and its mean nowhere", async () => {
  const plain = (text: string): string => stripVTControlCharacters(text).replace(/\s+/g, " ");
  expect(found?.workload.mix).toEqual(mix);
  expect(found?.sentence).toContain(`Use unix for ${mixText(mix)} requests`);
  expect(found?.ruledOut).toEqual([{ transport: "fifo", reason: "the mix: not this one" }]);
  expect(found?.reasons.join("; ")).toContain("per round trip of the mix, both processes together");
  const page = await renderHtml(report);
  const visible = page.slice(0, page.indexOf('<script type="application/json"'));
  const texts = {
    answer: plain(answer(report, { columns: 120 })),
    tables: plain(compareTables(report, { columns: 120 })),
    summary: renderMarkdown(report),
    page: plain(visible),
  };
  for (const [where, text] of Object.entries(texts)) {
    expect(text, where).toContain(mixText(mix));
    expect(text, where).not.toContain(`${MEAN} B`);
  }
  expect(new Set(viewOf(report).cells.map(({ size }) => size))).toEqual(new Set(["the mix"]));
});
