import { expect, test } from "vitest";
import type { CheckResult } from "../harness/results/model.ts";
import { junit } from "./junit.ts";

function result(scenario: string, rest: Partial<CheckResult>): CheckResult {
  const base = { title: "", kind: "scenario", transport: "unix", peer: "node", status: "passed" } as const;
  return { ...base, scenario, notes: {}, durationMs: 1500, ...rest };
}

const xml = junit({
  startedAt: "2026-01-01T00:00:00.000Z",
  durationMs: 4000,
  checks: [
    result("good", {}),
    result("bad", { status: "failed", reason: 'got <3> & "4"', error: "Error: \u0000 at x\n  line 2" }),
    result("other", { status: "not-applicable", reason: "no key", transport: "tcp" }),
    result("absent", { status: "unavailable", reason: "no library", transport: "tcp" }),
  ],
});

test("each mechanism is a suite, each check a case, and the counts agree", () => {
  expect(xml).toContain('<testsuites name="ipcmark check" tests="4" failures="1" errors="0" skipped="2" time="4.000"');
  expect(xml).toContain('<testsuite name="unix" tests="2" failures="1" errors="0" skipped="0" time="3.000">');
  expect(xml).toContain('<testsuite name="tcp" tests="2" failures="0" errors="0" skipped="2"');
});

test("a failure carries its reason and its full text, escaped", () => {
  expect(xml).toContain('<failure message="got &lt;3&gt; &amp; &quot;4&quot;">Error: \\x00 at x\n  line 2</failure>');
  expect(xml).not.toContain("\u0000");
});

test("what was not examined is skipped and says why", () => {
  expect(xml).toContain('<skipped message="not applicable: no key"/>');
  expect(xml).toContain('<skipped message="unavailable: no library"/>');
});
