import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fixtureReport } from "../../reports/testing/fixture.ts";
import { IncompleteError } from "../results/exit-codes.ts";
import { StoreError } from "../results/store.ts";
import { earlierReport, withChanges } from "./against.ts";

const folder = mkdtempSync(join(tmpdir(), "against-"));
afterAll(() => rmSync(folder, { recursive: true }));
const report = fixtureReport({ trials: 2, payloads: [64] });
const here = (): typeof report.environment => report.environment;

test("a run without --against reads nothing", () => {
  expect(earlierReport({ out: folder }, here)).toBeUndefined();
});

test("last is the newest report of the folder, whatever else lies there", () => {
  const out = join(folder, "out");
  const missing = /there is no report in ".*out"; run compare once, or name a file/;
  expect(() => earlierReport({ against: "last", out }, here)).toThrow(missing);
  mkdirSync(out);
  expect(() => earlierReport({ against: "last", out }, here)).toThrow(StoreError);
  for (const [at, [name, text]] of [
    ["old.json", JSON.stringify(report)],
    ["new.json", JSON.stringify({ ...report, seed: 5 })],
    ["newer.json", '{"cells":[]}'],
    ["newest.txt", JSON.stringify(report)],
  ].entries()) {
    writeFileSync(join(out, name as string), text as string);
    utimesSync(join(out, name as string), 1000 + at, 1000 + at);
  }
  expect(earlierReport({ against: "last", out }, here)).toMatchObject({
    name: join(out, "new.json"),
    report: { seed: 5 },
  });
});

test("a report of another machine is refused with what differs, and taken with --force", () => {
  const against = join(folder, "report.json");
  writeFileSync(against, JSON.stringify(report));
  const other = (): typeof report.environment => ({ ...report.environment, node: "99.0.0", kernel: "9.9.1-vendor" });
  expect(earlierReport({ against, out: folder }, here)?.name).toBe(against);
  expect(() => earlierReport({ against, out: folder }, other)).toThrow(IncompleteError);
  expect(() => earlierReport({ against, out: folder }, other)).toThrow(
    /is of another machine \(kernel \S+ there, 9\.9 here; Node \S+ there, 99\.0\.0 here\).*--force/,
  );
  const forced = earlierReport({ against, out: folder, force: true }, other);
  expect(withChanges(report, forced).against).toMatchObject({
    name: against,
    notes: [expect.stringMatching(/^The machine differs \(kernel .*\), so a change may be due to the machine\.$/)],
  });
  expect(withChanges(report, earlierReport({ against, out: folder }, here)).against?.notes).toEqual([]);
  expect(withChanges(report, undefined)).toBe(report);
  expect(() => earlierReport({ against: join(folder, "none.json"), out: folder }, here)).toThrow(/no such file/);
});
