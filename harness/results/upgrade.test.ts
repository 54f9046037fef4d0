import { expect, test } from "vitest";
import { upgraded } from "./upgrade.ts";

const drifts = { id: "unclassified", text: "not settled: it drifts", where: {} };
const times = { p50: 9000, ratio: 1.2, interval: [1.1, 1.3] };

test("a report of version 1 gets the names and shapes of version 2, and keeps everything else", () => {
  const warnings = ["not settled: it drifts"];
  const row = { transport: "unix", status: "measured", limit: { transport: "limit/unix", ...times } };
  const trials = [
    { round: 1, startedAtMs: 5, status: "valid", lost: 0 },
    { round: 2, startedAtMs: 6, status: "invalid", reason: "2 messages lost", lost: 2 },
    { round: 3, startedAtMs: 7, status: "invalid", reason: "too late", refused: true, lost: 0 },
  ];
  const one = {
    schemaVersion: 1,
    seed: 7,
    warnings,
    measurements: [row, { transport: "tcp", status: "failed", trials, warnings }],
    limits: [{ benchmark: "limit", transport: "limit/unix", status: "measured", interval: {}, payloadBytes: 64 }],
    limitsReason: "no limits: there is no C compiler (cc) here",
  };
  const nothing = { trials: [], warnings: [] };
  expect(upgraded(one)).toEqual({
    schemaVersion: 2,
    seed: 7,
    warnings: [drifts],
    measurements: [
      { transport: "unix", status: "measured", interval: {}, cBaseline: { transport: "c/unix", ...times }, ...nothing },
      {
        transport: "tcp",
        status: "failed",
        reason: "no reason recorded",
        trials: [
          { round: 1, startedAtMs: 5, status: "valid", lost: 0 },
          { round: 2, startedAtMs: 6, status: "invalid", reason: "2 messages lost", evidence: { lost: 2 } },
          { round: 3, startedAtMs: 7, status: "refused", reason: "too late", evidence: { lost: 0 } },
        ],
        warnings: [drifts],
      },
    ],
    cBaseline: [
      { benchmark: "c-baseline", transport: "c/unix", status: "measured", interval: {}, payloadBytes: 64, ...nothing },
    ],
    cBaselineReason: { status: "unavailable", reason: "there is no C compiler (cc) here" },
  });
});

test("what is no report of version 1 stays as it is, so that its defect is found where it is", () => {
  for (const value of [null, 1, "text", [], { schemaVersion: 2, limits: [] }, { limits: [] }])
    expect(upgraded(value)).toBe(value);
  const broken = {
    limits: 3,
    limitsReason: 4,
    warnings: 2,
    measurements: [null, { limit: 5, warnings: [6], trials: 7 }],
  };
  expect(upgraded({ schemaVersion: 1, ...broken })).toEqual({
    schemaVersion: 2,
    cBaseline: 3,
    cBaselineReason: 4,
    warnings: 2,
    measurements: [null, { cBaseline: 5, warnings: [6], trials: 7, reason: "no reason recorded" }],
  });
});
