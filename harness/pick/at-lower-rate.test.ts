import { expect, test } from "vitest";
import type { Measurement } from "../results/model.ts";
import { QUESTION, recordOf, rowOf } from "../testing/synthetic-report.ts";
import { pickAtHighestRate } from "./at-lower-rate.ts";
import { pick, type Question } from "./pick.ts";

const question: Question = { ...QUESTION, benchmark: "workload", clients: 4, ratePerSecond: 5000 };
const transports = [recordOf("fast"), recordOf("slow")];
const rows = (ratePerSecond: number, rounds = 8): Measurement[] =>
  ["fast", "slow"].map((id, at) =>
    rowOf(id, Array(rounds).fill(10_000 * (1 + at)), { benchmark: "workload", clients: 4, ratePerSecond }),
  );
const without = (row: Measurement, status: "unavailable" | "not-applicable"): Measurement =>
  ({ ...row, status, reason: "it was too late", trials: [] }) as unknown as Measurement;
const find = (...measurements: Measurement[]) => pickAtHighestRate({ transports, checks: [], measurements }, question);

test("a pick is for the rate asked for where candidates are compared there", () => {
  const measurements = [...rows(5000), ...rows(2500)];
  expect(find(...measurements)).toEqual(pick({ transports, checks: [], measurements }, question));
});

test.for([
  ["no candidate was measured in enough rounds", rows(5000).map((row) => without(row, "unavailable"))],
  ["only fast was measured", rows(5000).map((row, at) => (at === 0 ? row : without(row, "unavailable")))],
  ["the candidates have too few rounds in common", rows(5000, 3)],
] as const)("a pick is for a lower rate where, at the one asked for, %s", ([reason, asked]) => {
  const found = find(...asked, ...rows(2500), ...rows(1000));
  expect(found).toMatchObject({ transport: "fast", verdict: "ahead", workload: { ratePerSecond: 2500 } });
  expect(found?.sentence).toContain(`This run cannot compare at 5000 a second: ${reason}. At a lower rate: Use fast`);
  expect(found?.sentence).toContain("at 2500 a second");
});

test("a candidate whose clients were too late in some rounds for an order is not examined", () => {
  const [fast, slow] = rows(5000) as [Measurement, Measurement];
  const late = (row: Measurement, rounds: number): Measurement => {
    const trials = row.trials.map((trial) =>
      trial.round > rounds ? { round: trial.round, status: "refused" } : trial,
    );
    return { ...row, trials } as Measurement;
  };
  const found = find(fast, late(slow, 5));
  expect(found).toMatchObject({ transport: "fast", verdict: "alone", notExamined: [{ transport: "slow" }] });
  expect(found?.notExamined?.[0]?.reason).toBe("the clients kept the rate in 5 of 8 rounds, and an order needs 6");
  expect(find(fast, late(slow, 6))).toMatchObject({ transport: "fast", verdict: "ahead" });
  expect(find(late(fast, 5), late(slow, 5), ...rows(2500))?.workload.ratePerSecond).toBe(2500);
});

test("the one candidate that keeps the rate is the pick, however the others do at a lower one", () => {
  const found = find(...rows(5000).map((row, at) => (at === 0 ? row : without(row, "not-applicable"))), ...rows(2500));
  expect(found).toMatchObject({ transport: "fast", verdict: "alone", workload: { ratePerSecond: 5000 } });
});
