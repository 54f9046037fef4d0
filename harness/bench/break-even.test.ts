import { expect, it } from "vitest";
import { pick } from "../pick/pick.ts";
import type { MeasuredRow } from "../results/model.ts";
import { QUESTION, recordOf, rowOf } from "../testing/synthetic-report.ts";
import { breakEvenMicros, judgeBreakEven } from "./break-even.ts";

/** Runs whose two candidates take these times in each of six rounds, µs, with this work of the server in them. */
function run(fast: number, slow: number, workUs = 0): { pick: ReturnType<typeof pick> } {
  const rows = (["fast", "slow"] as const).map((id): MeasuredRow => {
    const us = (id === "fast" ? fast : slow) + workUs;
    return rowOf(id, Array<number>(6).fill(1000 * us));
  });
  const evidence = { transports: [recordOf("fast"), recordOf("slow")], checks: [], measurements: rows };
  return { pick: pick(evidence, { ...QUESTION, measuredWorkNs: 1000 * workUs }) };
}

it("is the work at which the difference is the margin, and the same where that work was done", () => {
  // (700 + 100) / (700 + 30) is 1.096, (670 + 100) / (670 + 30) is 1.1.
  expect(breakEvenMicros(run(30, 100))).toBe(670);
  const found = judgeBreakEven(run(30, 100), run(30, 100, 670));
  expect(found).toMatchObject({
    what: "break-even of fast and slow",
    promised: "within 15 % of the range",
    holds: true,
  });
  expect(found.seen).toBe("computed 670 µs (670 to 670 µs), with that work 670 µs (670 to 670 µs): +0.0 %");
});

it("does not hold where the work changed what the exchange costs, in either direction", () => {
  expect(judgeBreakEven(run(30, 100), run(30, 108, 670))).toMatchObject({ holds: true });
  expect(judgeBreakEven(run(30, 100), run(30, 115, 670))).toMatchObject({ holds: false });
  expect(judgeBreakEven(run(30, 100), run(30, 85, 670))).toMatchObject({ holds: false });
  expect(judgeBreakEven(run(30, 100), run(30, 31, 670))).toMatchObject({
    holds: false,
    seen: "computed 670 µs (670 to 670 µs), none with that work",
  });
});

it("is judged by the end of a range that is nearest", () => {
  const wide = run(30, 100);
  const { pick: found } = wide;
  const ranking = found?.ranking.map(({ request, ...row }) =>
    request === undefined ? row : { ...row, request: { ...request, breakEvenBounds: [400_000, 900_000] as const } },
  );
  const without = { pick: found === null ? null : { ...found, ranking: ranking ?? [] } };
  expect(judgeBreakEven(without, run(30, 115, 670))).toMatchObject({ holds: true });
  expect(judgeBreakEven(without, run(30, 60, 670))).toMatchObject({ holds: false });
});

it("does not exist where the difference is never above the margin", () => {
  expect(breakEvenMicros(run(100, 105))).toBeUndefined();
});
