import { expect, test } from "vitest";
import { DEFAULT_WORKLOAD } from "../../scenarios/profiles/default-workload.ts";
import type { CheckResult, Pick, TransportRecord } from "../results/model.ts";
import { type Answered, withGrounds } from "./grounds.ts";

const result = (scenario: string, status: CheckResult["status"], transport = "unix"): CheckResult =>
  ({ scenario, transport, peer: "node", status, reason: "why", notes: {} }) as CheckResult;
const transports = ["unix", "tcp"].map((id) => ({ id }) as TransportRecord);
const open = [
  { need: "windows", kind: "record", reason: "" },
  { need: "permissions", kind: "machine", reason: "" },
] as const;
const answered = (...checks: CheckResult[]): Answered => ({
  checks,
  transports,
  question: {
    needs: [],
    profile: "rpc",
    workload: DEFAULT_WORKLOAD,
    checks: ["reconnect", "restart/after-kill", "foreign-user", "wrong-key"],
  },
  candidates: [
    { transport: "unix", status: "in", why: "shortlist", shown: [], open },
    { transport: "tcp", status: "excluded", need: "permissions", reason: "failed the check permissions: why" },
    { transport: "fifo", status: "excluded", need: "windows", reason: "runs on Linux only" },
  ],
});
const found = { transport: "unix", sentence: "Use unix.", verdict: "ahead", ruledOut: [] } as unknown as Pick;

test("the sentence has what was passed, what was not examined, and what the record alone states", () => {
  const all = [
    result("reconnect", "passed"),
    result("restart/after-kill", "passed"),
    result("foreign-user", "unavailable"),
  ];
  expect(withGrounds(found, answered(...all, result("wrong-key", "not-applicable")))?.sentence).toBe(
    "Use unix. It passed reconnect and restart/after-kill. This machine could not examine foreign-user. " +
      "No check examines what it declares about windows.",
  );
  expect(withGrounds(found, answered(result("reconnect", "passed", "tcp")))?.sentence).toBe(
    "Use unix. This run did not examine reconnect, restart/after-kill, foreign-user, and wrong-key. " +
      "No check examines what it declares about windows.",
  );
});

test("what a check excluded by a need is ruled out, and a run that cannot tell names no grounds", () => {
  expect(withGrounds(found, answered())?.ruledOut).toEqual([
    { transport: "tcp", reason: "need permissions: failed the check permissions: why" },
  ]);
  expect(withGrounds({ ...found, verdict: "cannot-tell" }, answered(result("reconnect", "passed")))?.sentence).toBe(
    "Use unix.",
  );
  expect(withGrounds(null, answered())).toBeNull();
});
