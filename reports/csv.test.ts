import { expect, test } from "vitest";
import type { Report } from "../harness/results/model.ts";
import { blocksOf } from "./blocks.ts";
import { renderCsv } from "./csv.ts";
import { fixtureReport } from "./testing/fixture.ts";
import { fullReport } from "./testing/fixture-machine.ts";

const report = fullReport({ trials: 6, payloads: [64, 65_536] });

/** Reads CSV by the grammar of RFC 4180; throws where a line is none. */
function parsed(text: string): Record<string, string>[] {
  const lines = text.split("\r\n");
  expect(lines.pop()).toBe("");
  const rows = lines.map((line) => {
    const fields = [...line.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|$)/gy)];
    expect(fields.map(([all]) => all).join("")).toBe(line);
    const ended = fields.findIndex(([, , end]) => end === "");
    return fields
      .slice(0, ended + 1)
      .map(([, one = ""]) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one));
  });
  const [head = [], ...rest] = rows;
  return rest.map((fields) => {
    expect(fields).toHaveLength(head.length);
    return Object.fromEntries(head.map((name, at) => [name, fields[at] ?? ""]));
  });
}

test("every cell of the report is a row, with its figures in full and nothing where nothing was measured", () => {
  const rows = parsed(renderCsv(report));
  expect(rows).toHaveLength(report.measurements.length);
  for (const [at, cell] of report.measurements.entries()) {
    const row = rows[at] as Record<string, string>;
    expect([row["id"], row["status"], row["payload_bytes"]]).toEqual([
      cell.transport,
      cell.status,
      String(cell.payloadBytes),
    ]);
    expect(row["p50_ns"]).toBe(cell.status === "measured" && cell.latencyNs ? String(cell.latencyNs.p50) : "");
    expect(row["reason"]).toBe(cell.status === "measured" ? "" : cell.reason);
  }
  const failed = rows.find(({ id, status }) => id === "tcp" && status === "failed");
  expect(failed?.["reason"]).toContain("2 messages lost");
  expect(rows.find(({ id }) => id === "loopback")?.["baseline"]).toBe("true");
});

test("ratios and standings are those of the tables", () => {
  const rows = parsed(renderCsv(report));
  const ranked = blocksOf(report).flatMap((block) => block.ranked);
  expect(rows.filter((row) => row["standing"] !== "")).toHaveLength(ranked.length);
  for (const { cell, ratio, interval, standing } of ranked) {
    const row = rows[report.measurements.indexOf(cell)];
    expect([row?.["ratio_to_best"], row?.["standing"]]).toEqual([String(ratio), standing]);
    expect(row?.["ratio_to_best_low"]).toBe(interval === null ? "" : String(interval[0]));
  }
});

test("a text is one field of one line, and no formula of a spreadsheet", () => {
  const plain = fixtureReport({ trials: 6, payloads: [64], placements: ["two-cpus"] });
  const texts = ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", ' " =1', "a,b\nc", "＝1"];
  const measurements = texts.map((text) => ({
    ...(plain.measurements[0] as Report["measurements"][number]),
    transport: text,
    status: "failed" as const,
    reason: text,
  }));
  const rows = parsed(renderCsv({ ...plain, measurements }));
  expect(rows).toHaveLength(texts.length);
  for (const row of rows) {
    expect(row["id"]).toBe(row["reason"]);
    expect(row["id"]).not.toMatch(/^\s*[=+\-@＝]|[\r\n\t]/);
  }
  expect(rows.map((row) => row["id"])).toContain(`'=HYPERLINK("http://x","y")`);
  expect(rows.map((row) => row["id"])).toContain("a,b\\nc");
});
