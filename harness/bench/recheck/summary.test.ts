import { expect, test } from "vitest";
import { type Kind, summaryOf } from "./summary.ts";

const runs = (kind: Kind, codes: readonly number[]) => codes.map((code) => ({ kind, code, sentence: "", wallMs: 1 }));
const times = (count: number, code: number): number[] => Array(count).fill(code);

test.for([
  ["unchanged", [...times(31, 0), ...times(8, 21), 20], true],
  ["unchanged", [...times(30, 0), ...times(9, 21), 20], false],
  ["unchanged", [...times(38, 0), ...times(2, 20)], false],
  ["unchanged", [...times(39, 0), 2], false],
  ["slow", [...times(36, 20), ...times(4, 21)], true],
  ["slow", [...times(35, 20), ...times(5, 21)], false],
  ["slow", [...times(39, 20), 0], false],
  ["node", times(3, 22), true],
  ["node", [22, 0], false],
] as const)("%s with %o: %s", ([kind, codes, holds]) => {
  expect(summaryOf(runs(kind, codes)).map((line) => line.holds)).toEqual([holds]);
});

test("a line counts by exit code", () => {
  expect(summaryOf(runs("slow", [21, 20, 20]))[0]?.text).toMatch(/^slow: 3 rechecks, 2 with 20, 1 with 21; all of 40/);
});
