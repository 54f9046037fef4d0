import { expect, test } from "vitest";
import { upgraded } from "./upgrade.ts";

const drifts = { id: "unclassified", text: "not settled: it drifts", where: {} };
const times = { p50: 9000, ratio: 1.2, interval: [1.1, 1.3] };

test("a report of version 1 gets the names of version 2, and keeps everything else", () => {
  const row = { transport: "unix", benchmark: "round-trip", limit: { transport: "limit/unix", ...times } };
  const warnings = ["not settled: it drifts"];
  const one = {
    schemaVersion: 1,
    seed: 7,
    warnings,
    measurements: [row, { transport: "tcp", warnings }],
    limits: [{ benchmark: "limit", transport: "limit/unix", payloadBytes: 64 }],
    limitsReason: "no limits: there is no C compiler (cc) here",
  };
  expect(upgraded(one)).toEqual({
    schemaVersion: 2,
    seed: 7,
    warnings: [drifts],
    measurements: [
      { transport: "unix", benchmark: "round-trip", cBaseline: { transport: "c/unix", ...times } },
      { transport: "tcp", warnings: [drifts] },
    ],
    cBaseline: [{ benchmark: "c-baseline", transport: "c/unix", payloadBytes: 64 }],
    cBaselineReason: "no C baseline: there is no C compiler (cc) here",
  });
});

test("what is no report of version 1 stays as it is, so that its defect is found where it is", () => {
  for (const value of [null, 1, "text", [], { schemaVersion: 2, limits: [] }, { limits: [] }])
    expect(upgraded(value)).toBe(value);
  const broken = {
    schemaVersion: 1,
    limits: 3,
    limitsReason: 4,
    warnings: 2,
    measurements: [null, { limit: 5, warnings: [6] }],
  };
  expect(upgraded(broken)).toEqual({
    schemaVersion: 2,
    warnings: 2,
    cBaseline: 3,
    cBaselineReason: 4,
    measurements: [null, { cBaseline: 5, warnings: [6] }],
  });
});
