import { expect, test } from "vitest";
import { QUESTION } from "../testing/synthetic-report.ts";
import type { Against, Judgement } from "./verdict.ts";
import { remedyOf, sentenceOfRecheck } from "./words.ts";

const CHANGED = ["Node 26.10.0 in the record, 24.3.0 here"];

function judgement(outcome: Judgement["outcome"], change: Partial<Against> = {}): Judgement {
  const comparison = { ratio: 1.3, interval: [1.2, 1.4], common: 12 } as const;
  const against = [{ rival: "tcp", outcome, rivalIsSimpler: true, comparison, ...change }];
  return { chosen: "unix", outcome, against, ...(outcome === "other-wins" ? { winner: "tcp" } : {}) };
}

test.for([
  [
    judgement("holds"),
    "unix: it still holds. tcp is simpler: tcp takes 1.30 times as long as unix (1.20 to 1.40), " +
      "which is slower by more than the 10 % that matter.",
  ],
  [
    judgement("other-wins", { rivalIsSimpler: false }),
    "unix: another one wins: tcp. unix takes 1.30 times as long as tcp (1.20 to 1.40), " +
      "which is slower by more than the 10 % that matter.",
  ],
  [
    judgement("cannot-tell"),
    "unix: this run cannot tell whether it holds. tcp is simpler: tcp takes 1.30 times as long as unix " +
      "(1.20 to 1.40), and whether it is slower by more than the 10 % that matter is not shown.",
  ],
  [
    judgement("cannot-tell", { comparison: { ratio: 2, interval: null, common: 3 } }),
    "unix: this run cannot tell whether it holds. tcp and unix were measured together in 3 rounds, " +
      "and an order needs 6.",
  ],
] as const)("a recheck has a sentence for %o", ([found, sentence]) => {
  expect(sentenceOfRecheck(found, QUESTION, [])).toBe(sentence);
});

test("a recheck that cannot tell names what helps, unless the two could not be compared at all", () => {
  expect(remedyOf(judgement("cannot-tell"))).toMatch(/longer --budget/);
  expect(remedyOf(judgement("cannot-tell", { reason: "tcp is unavailable" }))).toBeUndefined();
  expect(remedyOf(judgement("holds"))).toBeUndefined();
});

test("changed conditions come first, with what was measured all the same", () => {
  expect(sentenceOfRecheck(judgement("holds"), QUESTION, CHANGED)).toMatch(
    /^conditions changed: Node 26\.10\.0 in the record, 24\.3\.0 here; measured here, it still holds\. tcp is/,
  );
});

test("a ratio that left the interval of the record is stated, one within it is not", () => {
  const before = judgement("holds", { comparison: { ratio: 2.5, interval: [2.2, 3], common: 12 } });
  expect(sentenceOfRecheck(judgement("holds"), QUESTION, [], before)).toContain(
    "(in the record it was 2.50 times, 2.20 to 3.00)",
  );
  expect(sentenceOfRecheck(judgement("holds"), QUESTION, [], judgement("holds"))).not.toContain("in the record");
});

test("a request with work has its own ratio", () => {
  const request = {
    matters: "no",
    ratio: 1.01,
    bounds: [1, 1.02],
    savedNs: 1,
    breakEvenWorkNs: null,
    breakEvenBounds: null,
  } as const;
  expect(sentenceOfRecheck(judgement("other-wins", { request }), { ...QUESTION, assumedWorkNs: 1e6 }, [])).toContain(
    "as unix (1.20 to 1.40), and a request with 1.00 ms of work 1.01 times (1.00 to 1.02), which is not slower by",
  );
});
