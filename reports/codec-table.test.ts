import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { CodecCost, MeasuredRow, Report } from "../harness/results/model.ts";
import { blocksOf } from "./blocks.ts";
import { codecGroups } from "./codec-table.ts";
import { renderHtml } from "./html/render.ts";
import { viewOf } from "./html/view.ts";
import { codecTables, compareTables } from "./terminal/index.ts";
import { fixtureReport } from "./testing/fixture.ts";

const measured = { status: "measured", firstBytes: 142, bytes: 142, marginPercent: 1 } as const;
const codecs: readonly CodecCost[] = [
  { codec: "raw", corpus: "rpc-object", status: "not-applicable", reason: "raw carries bytes" },
  { codec: "json", corpus: "rpc-object", ...measured, encodeNs: 430, decodeNs: 1130 },
  { codec: "msgpack-records", corpus: "rpc-object", ...measured, bytes: 53, encodeNs: 500, decodeNs: 230 },
  { codec: "json", corpus: "table-200", ...measured, encodeNs: 40_000, decodeNs: 90_000 },
];
const plain = fixtureReport();
const report: Report = { ...plain, codecs };

/** The same call in two codecs over two transports, as `measure --codec` leaves it in a report. */
function rowsOfValues(): MeasuredRow[] {
  const of = (transport: string): MeasuredRow =>
    plain.measurements.find(
      (cell) => cell.transport === transport && cell.benchmark === "round-trip" && cell.status === "measured",
    ) as MeasuredRow;
  return ["unix", "fifo"].flatMap((transport) =>
    [142, 53].map((payloadBytes) => ({
      ...of(transport),
      benchmark: "codec-round-trip",
      corpus: "rpc-object",
      codec: payloadBytes === 142 ? "json" : "msgpack-records",
      payloadBytes,
    })),
  );
}

test("each kind of value is a group with its quickest codec first and those without a number last", () => {
  const names = codecGroups(report).map(({ corpus, lines }) => [corpus, ...lines.map(({ name }) => name)]);
  expect(names).toEqual([
    ["rpc-object", "msgpack-records", "json", "raw"],
    ["table-200", "json"],
  ]);
});

test("terminal and page show the same numbers, the reason of a missing one, and the larger first message", async () => {
  const text = stripVTControlCharacters(codecTables(report, { columns: 80 }));
  expect(text).toMatch(/msgpack-records +500 ns +230 ns +730 ns +1\S* % +53 B +142 B/);
  expect(text).toMatch(/raw +not applicable: raw carries bytes/);
  expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  const page = await renderHtml(report);
  const section = /<section id="codecs">[\s\S]*?<\/section>/.exec(page)?.[0] ?? "";
  expect(section).toContain("<td>500 ns</td><td>230 ns</td><td>730 ns</td><td>1.0 %</td><td>53 B</td><td>142 B</td>");
  expect(section).toContain("not applicable: raw carries bytes");
});

test("a row whose ± is above 20 % is marked in the terminal and on the page, and a note explains it", async () => {
  const shaky: Report = {
    ...report,
    codecs: codecs.map((row) =>
      row.codec === "json" && row.corpus === "rpc-object" ? { ...row, marginPercent: 164.7 } : row,
    ),
  };
  const text = stripVTControlCharacters(codecTables(shaky));
  expect(text.match(/^ {2}\S+ !/gm)).toEqual(["  json !"]);
  expect(text).toContain("! ± above 20 %: do not rely on this row");
  const section = /<section id="codecs">[\s\S]*?<\/section>/.exec(await renderHtml(shaky))?.[0] ?? "";
  expect(section.match(/<code>\S+<\/code> ⚠/g)).toEqual(["<code>json</code> ⚠"]);
  expect(section).toContain("⚠ ± above 20 %: do not rely on this row");
  expect(codecTables(report)).not.toContain("do not rely on this row");
  expect(await renderHtml(report)).not.toContain("± above");
});

test("sizes have one form, whether or not they come out even", () => {
  const of = (bytes: number) => ({ codec: "json", corpus: "blob-1mib", ...measured, firstBytes: bytes, bytes });
  const sizes = [64, 12 * 1024, 2 ** 20, 2 ** 20 + 5].map((bytes) => {
    const [group] = codecGroups({ codecs: [{ ...of(bytes), encodeNs: 1, decodeNs: 1 }] });
    return group?.lines[0]?.cells?.[4];
  });
  expect(sizes).toEqual(["64 B", "12.0 KiB", "1.00 MiB", "1.00 MiB"]);
});

test("a report without codecs has neither section nor table", async () => {
  expect(codecTables(plain)).toBe("");
  expect(await renderHtml(plain)).not.toContain("Codecs alone");
});

test("rows of one kind of value share a block across codecs and transports, whatever their sizes", () => {
  const blocks = blocksOf({ ...plain, measurements: rowsOfValues() });
  expect(blocks).toHaveLength(1);
  expect(blocks[0]?.ranked.map(({ name }) => name).sort()).toEqual([
    "fifo · json",
    "fifo · msgpack-records",
    "unix · json",
    "unix · msgpack-records",
  ]);
  const text = stripVTControlCharacters(compareTables({ ...plain, measurements: rowsOfValues() }));
  expect(text).toContain("rpc-object: 53 B to 142 B, four conversions included");
});

test("the page shows rows of one kind of value together, under the largest of their sizes", () => {
  const { cells } = viewOf({ ...plain, measurements: rowsOfValues() });
  expect(new Set(cells.map(({ payload }) => payload))).toEqual(new Set([142]));
  expect(new Set(cells.map(({ name }) => name)).size).toBe(4);
});
