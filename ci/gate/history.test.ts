import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { StoreError } from "../../harness/results/store.ts";
import { appendHistory, entriesOf, type HistoryFacts, readHistory } from "./history.ts";

const FACTS: HistoryFacts = {
  date: "2026-01-01T00:00:00.000Z",
  commit: "0123456789abcdef",
  dirty: false,
  controlNs: 20_000,
  machine: "m",
};
const cell = { transport: "unix", mode: "event", placement: "same-cpu", payloadBytes: 64 } as const;
const rate = { name: "rate", unit: "msg/s", lower: false };
const ENTRIES = entriesOf(
  [
    { cell, metric: "p50", outcome: "not-slower", base: 40_000, head: 50_000, notes: [] },
    { cell: rate, metric: "value", outcome: "regression", base: 100, head: 80, notes: [] },
    { cell, metric: "p50", outcome: "missing", reason: "no pair ran", notes: [] },
  ],
  FACTS,
);

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "history-"));
  file = join(directory, "kept/history.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("has one entry for each row with a value", () => {
  expect(ENTRIES).toEqual([
    {
      ...FACTS,
      cell: "unix (event, same-cpu) 64 B",
      unit: "ns",
      lower: true,
      value: 50_000,
      ratio: 1.25,
      toControl: 2.5,
    },
    { ...FACTS, cell: "rate (msg/s)", unit: "msg/s", lower: false, value: 80, ratio: 0.8, toControl: null },
  ]);
});

it("grows by whole lines, also behind one that a killed program left unfinished", () => {
  appendHistory(file, ENTRIES);
  appendHistory(file, []);
  expect(readHistory(file)).toEqual({ entries: ENTRIES, defects: [] });
  appendFileSync(file, '{"date":"2026');
  appendHistory(file, ENTRIES);
  expect(readHistory(file)).toEqual({
    entries: [...ENTRIES, ...ENTRIES],
    defects: ["line 3 is left out: it is no JSON"],
  });
  expect(readFileSync(file, "utf8")).toMatch(/\}\n$/);
});

it.each([
  ["", "it is empty"],
  ["\n\n", "it has no line"],
  ["hello\n", "line 1 is left out: it is no JSON"],
  [`${JSON.stringify({ ...ENTRIES[0], value: 0 })}\n`, "value is 0 and must be a number above 0"],
  [`${JSON.stringify({ ...ENTRIES[0], machine: undefined })}\n`, "machine is missing and must be a text"],
])("refuses a file without an entry: %j", (text, reason) => {
  writeFileSync(join(directory, "other"), text);
  expect(() => readHistory(join(directory, "other"))).toThrow(StoreError);
  expect(() => readHistory(join(directory, "other"))).toThrow(reason);
});

it("names the flag and the file where they cannot be used", () => {
  expect(() => appendHistory(directory, ENTRIES)).toThrow(/cannot append to --history .*: it is a directory; name/);
  expect(() => readHistory(file)).toThrow(/cannot read --drift .*: no such file; name a file that gate --history/);
});
