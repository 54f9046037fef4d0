import { expect, it } from "vitest";
import { decidedReport } from "../testing/decided-report.ts";
import { QUESTION } from "../testing/synthetic-report.ts";
import { pickAmong } from "./among.ts";
import { withGrounds } from "./grounds.ts";
import { pick } from "./pick.ts";
import { givesSamePick } from "./same-pick.ts";

const truths = [
  { id: "fast", ns: 10_000 },
  { id: "middle", ns: 20_000 },
  { id: "slow", ns: 40_000 },
];
const decided = decidedReport(truths);
const answered = { ...decided, candidates: decided.candidates ?? [] };
const report = { ...answered, pick: withGrounds(decided.pick, answered) };

it("gives the pick of the run among all of its rows", () => {
  expect(pickAmong(report, () => true)).toEqual(report.pick);
  expect(givesSamePick(report)).toBe(true);
});

it("gives among some rows what a run of these alone would give, with its grounds", () => {
  const found = pickAmong(report, ({ transport }) => transport !== "fast");
  const alone = { ...report, transports: report.transports.filter(({ id }) => id !== "fast") };
  const measurements = report.measurements.filter(({ transport }) => transport !== "fast");
  expect(found).toEqual(withGrounds(pick({ ...alone, measurements }, QUESTION), alone));
  expect(found?.sentence).toMatch(/^Use middle .* slow, the next fastest, .* It passed reconnect\.$/);
  expect(pickAmong(report, () => false)).toBeNull();
});

it("still names what this machine could not run", () => {
  const [first] = report.transports;
  const absent = {
    ...(first as NonNullable<typeof first>),
    id: "absent",
    available: false as const,
    reason: "no socket",
  };
  const withAbsent = { ...report, transports: [...report.transports, absent] };
  const found = pickAmong(withAbsent, ({ transport }) => transport !== "fast");
  expect(found?.notExamined).toEqual([{ transport: "absent", reason: "no socket" }]);
});

it("is not the same pick where the stored one names another", () => {
  expect(givesSamePick({ ...report, pick: { ...decided.pick, transport: "slow" } })).toBe(false);
  expect(givesSamePick({ ...report, pick: null })).toBe(false);
});
