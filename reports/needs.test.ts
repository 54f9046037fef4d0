import { expect, test } from "vitest";
import type { CheckResult, Report } from "../harness/results/model.ts";
import { needReasons, needsOf } from "./needs.ts";
import { fixtureReport } from "./testing/fixture.ts";

const base = fixtureReport({ trials: 1, payloads: [64] });

function check(transport: string, scenario: string, status: CheckResult["status"], reason?: string): CheckResult {
  const about = { scenario, transport, status, title: "", kind: "scenario", peer: "node", notes: {}, durationMs: 1 };
  return { ...about, ...(reason === undefined ? {} : { reason }) } as CheckResult;
}

const report: Report = {
  ...base,
  checks: [
    check("unix", "wrong-key", "passed"),
    check("unix", "permissions", "passed"),
    check("unix", "foreign-user", "failed", "another user connected"),
    check("unix", "large-messages", "passed"),
    check("tcp", "permissions", "unavailable", "needs a second user"),
    check("tcp", "large-messages", "passed"),
  ],
};

/** Kinds of standings of a mechanism, by need. */
function standingsOf(of: Report, transport: string): Record<string, string> {
  const found = needsOf(of);
  const rows = [...(found?.candidates ?? []), ...(found?.others ?? [])];
  const row = rows.find((each) => each.transport === transport);
  return Object.fromEntries(
    (found?.columns ?? []).map(({ need }, at) => [need, row?.standings[at]?.kind ?? "no such row"]),
  );
}

test("each kind of standing has its own sign: what the mechanism, this machine and this run cannot stay apart", () => {
  expect(standingsOf(report, "unix")).toMatchObject({
    "message=8MiB": "shown",
    permissions: "refuted",
    persistent: "cannot",
    macos: "record",
    ordered: "run",
  });
  expect(standingsOf(report, "tcp")).toMatchObject({ permissions: "machine", "message=8MiB": "shown" });
  // It could not be loaded here, so neither its record nor this run refutes it.
  expect(standingsOf(report, "zeromq/dealer-router")).toMatchObject({ ordered: "machine", persistent: "cannot" });
});

test("a need of the question comes first, with its value", () => {
  const question = { needs: ["clients=65"], profile: "rpc", workload: {}, checks: [] } as unknown as NonNullable<
    Report["question"]
  >;
  const asked = needsOf({ ...report, question });
  expect(asked?.columns[0]).toEqual({ need: "clients=65", sentence: "serves 65 clients at once", isAsked: true });
  expect(standingsOf({ ...report, question }, "unix")).toMatchObject({ "clients=65": "cannot" });
  expect(asked?.columns.map(({ need }) => need)).not.toContain("clients=100");
});

test("candidates are apart from the rest, and what a need left out before the run has no other standing", () => {
  const candidates: Report["candidates"] = [
    { transport: "unix", status: "in", why: "named", shown: [], open: [] },
    { transport: "mqtt", status: "excluded", need: "ordered", reason: "promises no order" },
  ];
  const found = needsOf({ ...report, candidates });
  expect(found?.candidates.map(({ transport }) => transport)).toEqual(["unix"]);
  expect(found?.others.map(({ transport }) => transport)).toEqual(expect.arrayContaining(["tcp", "mqtt"]));
  expect(found?.others.map(({ transport }) => transport)).not.toContain("loopback");
  expect(standingsOf({ ...report, candidates }, "mqtt")).toMatchObject({ ordered: "cannot", persistent: "run" });
});

test("each reason stands once, with all that it concerns", () => {
  const found = needsOf(report);
  if (found === undefined) throw new Error("the fixture has no records");
  const reasons = needReasons(found, found.candidates);
  expect(reasons[0]).toEqual({
    ...{ kind: "refuted", need: "permissions" },
    ...{ reason: "failed the check foreign-user: another user connected", transports: ["unix"] },
  });
  const persistent = reasons.filter(({ need }) => need === "persistent");
  expect(persistent.map(({ transports }) => transports.length)).toEqual([found.candidates.length]);
});

test("records of an older report, which lack what needs read, state nothing", () => {
  const transports = base.transports.map((record) => {
    const { modes, patterns } = record.capabilities;
    return { ...record, capabilities: { modes, patterns } as typeof record.capabilities };
  });
  expect(needsOf({ ...report, transports })).toBeUndefined();
});
