import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SCENARIOS } from "../scenarios/checks/index.ts";
import { REGISTRY } from "../transports/registry.ts";
import {
  checkMatrixText,
  checkSummaryTable,
  containerTable,
  mergeChecks,
  type RecordedChecks,
  type RecordedContainers,
  resultsIn,
} from "./check-results.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const recorded = JSON.parse(read("scenarios/results.json")) as RecordedChecks;
const REPEAT = "run `npm run check -- --transport all`, then `npm run record:checks`";

test("the results in the documents are those that were recorded, and nobody edited them", () => {
  expect(resultsIn(read("README.md"))).toBe(checkSummaryTable(recorded));
  expect(resultsIn(read("scenarios/README.md"))).toBe(checkMatrixText(recorded));
});

test("the table of containers is the one that was recorded, of transports that exist", () => {
  const containers = JSON.parse(read("scenarios/containers.json")) as RecordedContainers;
  expect(resultsIn(read("scenarios/README.md"), "containers")).toBe(containerTable(containers));
  const ids = REGISTRY.map(({ id }) => id);
  expect(containers.rows.map(([name]) => name).filter((name) => !ids.includes(name ?? ""))).toEqual([]);
  expect(containers.rows.length).toBeGreaterThan(20);
});

test("they are of every transport there is and of every scenario", () => {
  expect(Object.keys(recorded.mechanisms).sort(), REPEAT).toEqual(REGISTRY.map(({ id }) => id).sort());
  expect(recorded.scenarios, REPEAT).toEqual(SCENARIOS.map(({ id }) => id));
});

test("a mark per scenario, and a reason for every mark that is no pass", () => {
  for (const [name, { marks }] of Object.entries(recorded.mechanisms)) {
    expect([...marks], name).toHaveLength(recorded.scenarios.length);
    const unmet = recorded.scenarios.filter((_, index) => [...marks][index] !== "✓");
    const explained = recorded.reasons.flatMap(({ where }) => where[name] ?? []);
    expect(
      unmet.filter((id) => !explained.includes(id)),
      name,
    ).toEqual([]);
  }
});

test("they name the date, the version and the machine", () => {
  expect(recorded.taken).toMatch(/^\d{4}-\d\d-\d\d, ipcmark \d+\.\d+\.\d+, Node \d+\S*, \w+ \S+, \d+ CPUs \(.+\)$/);
});

test("a later run of a few mechanisms replaces their results and reasons, and no others", () => {
  const ids = ["a", "b"];
  const row = (marks: string) => ({ marks, conformance: { passed: 1, failed: 0 }, figures: [] });
  const because = (reason: string, where: Record<string, string[]>) =>
    ({ status: "not-applicable", reason, where }) as const;
  const kept: RecordedChecks = {
    ...recorded,
    mechanisms: { gone: row("✓"), b: row("–") },
    reasons: [because("shared", { gone: ["x"], b: ["x"] }), because("old", { gone: ["y"] })],
  };
  const later = { ...kept, mechanisms: { a: row("✗") }, reasons: [because("shared", { a: ["x"] })] };
  const merged = mergeChecks(kept, later, ids);
  expect(merged.mechanisms).toEqual({ a: row("✗"), b: row("–") });
  expect(merged.reasons).toEqual([because("shared", { b: ["x"], a: ["x"] })]);
  expect(mergeChecks(kept, { ...later, mechanisms: merged.mechanisms }, ids).reasons).toEqual(later.reasons);
});
