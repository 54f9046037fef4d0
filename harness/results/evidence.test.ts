import { expect, test } from "vitest";
import { evidenceOf } from "./evidence.ts";
import type { CheckResult, TransportRecord } from "./model.ts";

const result = (transport: string, status: CheckResult["status"], rest: Partial<CheckResult> = {}): CheckResult =>
  ({ scenario: "idle-cpu", transport, peer: "node", status, notes: {}, ...rest }) as CheckResult;
const record = (id: string, sameAs?: string): TransportRecord =>
  ({ id, ...(sameAs === undefined ? {} : { sameAs }) }) as TransportRecord;

test("of several results the one against the mechanism counts, and none is no result", () => {
  const of = (...checks: CheckResult[]) => evidenceOf({ checks, transports: [] }).verdict("tcp", "idle-cpu");
  const missing = result("tcp", "not-applicable", { reason: "no server in it" });
  expect(of(missing, result("tcp", "passed"))).toEqual({ status: "passed" });
  expect(of(result("tcp", "passed"), result("tcp", "failed", { reason: "burns" }))).toEqual({
    status: "failed",
    reason: "burns",
  });
  expect(of(result("tcp", "passed"), result("tcp", "unavailable")).status).toBe("unavailable");
  expect(of(result("unix", "failed"))).toEqual({ status: "not-examined" });
  expect(of(result("tcp", "passed"), result("tcp", "not-examined"))).toEqual({ status: "not-examined" });
});

test("the largest figure counts", () => {
  const checks = [0.2, 0.4].map((value) => result("tcp", "passed", { notes: { percent: value, text: "x" } }));
  const { figure } = evidenceOf({ checks, transports: [] });
  expect(figure("tcp", "idle-cpu", "percent")).toEqual({ value: 0.4 });
  expect([figure("tcp", "idle-cpu", "text"), figure("tcp", "other", "percent")]).toEqual([undefined, undefined]);
});

test("what is found of one name of a mechanism holds for the other, in both directions", () => {
  const transports = [record("local-socket", "unix"), record("unix"), record("tcp")];
  for (const [failed, asked] of [
    ["unix", "local-socket"],
    ["local-socket", "unix"],
  ] as const) {
    const { verdict } = evidenceOf({ checks: [result(failed, "failed")], transports });
    expect([verdict(asked, "idle-cpu").status, verdict("tcp", "idle-cpu").status]).toEqual(["failed", "not-examined"]);
  }
});
