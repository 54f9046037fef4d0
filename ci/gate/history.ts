/** History of a gate: a file with one line of JSON for each cell of each run. */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type Fields, flag, must, orNull, shape, text } from "../../harness/process/rules.ts";
import { parseJson } from "../../harness/results/parse-json.ts";
import { reasonOf, StoreError } from "../../harness/results/store.ts";
import { readTextFile } from "../../harness/results/text-file.ts";
import { nameOf } from "./cells.ts";
import { TIMES_NS } from "./metrics.ts";
import type { GateRow } from "./result.ts";

export interface HistoryEntry {
  /** ISO 8601. */
  readonly date: string;
  /** Commit of the head; null outside of a repository. */
  readonly commit: string | null;
  /** True where the head had changes that were not committed. */
  readonly dirty: boolean;
  readonly cell: string;
  /** Unit of the value: `ns` of a round trip. */
  readonly unit: string | null;
  /** True where a lower value is better. */
  readonly lower: boolean;
  /** Median of the head. */
  readonly value: number;
  /** Ratio head/base of the medians. */
  readonly ratio: number;
  /** Median round trip of the frozen echo during the run; null if it did not run. */
  readonly controlNs: number | null;
  /** Value divided by that of the frozen echo, if both are times. */
  readonly toControl: number | null;
  /** Fingerprint of machine, kernel and Node. */
  readonly machine: string;
}

const above0 = must("a number above 0", (value) => typeof value === "number" && value > 0);
const FIELDS: Fields<HistoryEntry> = {
  date: text,
  commit: orNull(text),
  dirty: flag,
  cell: text,
  unit: orNull(text),
  lower: flag,
  value: above0,
  ratio: above0,
  controlNs: orNull(above0),
  toControl: orNull(above0),
  machine: text,
};
const defectOf = shape<HistoryEntry>(FIELDS);

/** Facts that the lines of one run share. */
export type HistoryFacts = Pick<HistoryEntry, "date" | "commit" | "dirty" | "controlNs" | "machine">;

/** Returns one entry for each row with a value on both sides. */
export function entriesOf(rows: readonly GateRow[], facts: HistoryFacts): HistoryEntry[] {
  return rows.flatMap(({ cell, metric, base, head }) => {
    if (base === undefined || head === undefined) return [];
    const { unit = null, lower } = "name" in cell ? cell : { unit: "ns", lower: true };
    const name = metric === "p50" || metric === "value" ? nameOf(cell) : `${nameOf(cell)} ${metric}`;
    const perUnitNs = TIMES_NS[unit ?? ""];
    const { controlNs } = facts;
    const toControl = controlNs === null || perUnitNs === undefined ? null : (head * perUnitNs) / controlNs;
    const measured = { value: head, ratio: head / base, toControl };
    return [{ ...facts, cell: name, unit, lower, ...measured }];
  });
}

/**
 * Appends entries in one write, which the kernel puts behind those of another run, never between them. A line that a
 * killed program left unfinished is ended first.
 *
 * @throws StoreError
 */
export function appendHistory(file: string, entries: readonly HistoryEntry[]): void {
  if (entries.length === 0) return;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const descriptor = openSync(file, "a+");
    try {
      const { size } = fstatSync(descriptor);
      const last = Buffer.alloc(1, "\n");
      if (size > 0) readSync(descriptor, last, 0, 1, size - 1);
      const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
      const bytes = Buffer.from(last.toString() === "\n" ? lines : `\n${lines}`);
      if (writeSync(descriptor, bytes) < bytes.length) throw new Error("the file system took only a part of it");
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new StoreError(`cannot append to --history "${file}": ${reasonOf(error)}; name a file you may write to`);
  }
}

export interface History {
  readonly entries: readonly HistoryEntry[];
  /** Sentences about lines that are left out. */
  readonly defects: readonly string[];
}

/** Reads a history. @throws StoreError when it has no entry */
export function readHistory(file: string): History {
  let lines: readonly string[];
  try {
    lines = readTextFile(file).split("\n");
  } catch (error) {
    throw new StoreError(`cannot read --drift "${file}": ${reasonOf(error)}; name a file that gate --history wrote`);
  }
  const entries: HistoryEntry[] = [];
  const defects: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const found = entryIn(line);
    if ("defect" in found) defects.push(`line ${index + 1} is left out: ${found.defect}`);
    else entries.push(found.entry);
  }
  if (entries.length > 0) return { entries, defects };
  const [why = "it has no line"] = defects;
  throw new StoreError(`--drift "${file}" is no history of a gate: ${why}; name a file that gate --history wrote`);
}

function entryIn(line: string): { readonly entry: HistoryEntry } | { readonly defect: string } {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {
    return { defect: "it is no JSON" };
  }
  const defect = defectOf(value, "");
  return defect === undefined ? { entry: value as HistoryEntry } : { defect };
}
