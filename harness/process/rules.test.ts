import { expect, test } from "vitest";
import { driverDefect, peerDefect } from "./message-rules.ts";
import { oneLine, shown } from "./rules.ts";

const check = { type: "check", id: "a", status: "passed", notes: { requests: 3 }, durationMs: 1 };

test("a message is believed when every field is as its type says", () => {
  expect(driverDefect(check)).toBeUndefined();
  expect(driverDefect({ ...check, unknown: 1 })).toBeUndefined();
  expect(
    driverDefect({ type: "cell", key: "k", outcome: { status: "invalid", reason: "lost", figures: null } }),
  ).toBeUndefined();
  const address = { transport: "unix", name: "/x" };
  expect(peerDefect({ type: "ready", pid: 12, address, language: "c", version: "1" })).toBeUndefined();
});

test.for([
  [null, "message is null and must be an object"],
  [[], "message is a list and must be an object"],
  [{ type: "ceck" }, 'message.type is "ceck" and must be ready, prepared,'],
  [{ type: "toString" }, 'message.type is "toString"'],
  [{ ...check, status: "fine" }, 'message.status is "fine" and must be passed, failed, not-applicable or unavailable'],
  [{ ...check, notes: { requests: null } }, "message.notes.requests is null"],
  [{ ...check, durationMs: undefined }, "message.durationMs is missing and must be a number"],
  [{ type: "spawned", pid: -1 }, "message.pid is -1"],
  [{ type: "cell", key: "k", outcome: { status: "valid" } }, "message.outcome.figures is missing"],
] as const)("what is none is refused with the field, what was found and what is expected: %j", ([message, defect]) => {
  expect(driverDefect(message)).toContain(defect);
});

test("what others wrote is shown as one short line without anything a terminal obeys", () => {
  expect(shown("a\u001b[31mred\nline")).toBe('"a\\u001b[31mred\\nline"');
  expect(shown("\u009b\u202e")).toBe('"\\u009b\\u202e"');
  expect(shown("x".repeat(1000)).length).toBeLessThan(70);
  expect(oneLine("first\u0007 line\nsecond")).toBe("first\\u0007 line");
});
