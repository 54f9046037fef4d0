import { expect, it } from "vitest";
import { judge } from "./round-groups.ts";

it("one group: the ratio is the median of the rounds' ratios", () => {
  const rounds = [10, 11, 12, 10, 11].map((c, i) => ({ c, ours: c * (1.1 + i * 0.1) }));
  expect(judge(rounds).ratio).toBeCloseTo(1.3);
  expect(judge(rounds)).toMatchObject({ rounds: 5, groups: [{ c: 11 }] });
});

it("two groups: rounds whose sides lie in different groups are not compared", () => {
  const same = Array.from({ length: 6 }, () => ({ c: 5, ours: 6 }));
  const crossed = Array.from({ length: 4 }, () => ({ c: 5, ours: 60 }));
  const slow = Array.from({ length: 4 }, () => ({ c: 50, ours: 60 }));
  const seen = judge([...same, ...crossed, ...slow]);
  expect(seen.ratio).toBeCloseTo(1.2);
  expect(seen).toMatchObject({
    rounds: 6,
    groups: [
      { c: 5, ours: 6, rounds: 6 },
      { c: 50, ours: 60, rounds: 4 },
    ],
  });
});

it("groups of the reference alone divide the rounds of both, and the one with most rounds counts", () => {
  const near = Array.from({ length: 5 }, () => ({ c: 10, ours: 40 }));
  const far = Array.from({ length: 7 }, () => ({ c: 40, ours: 60 }));
  const seen = judge([...near, ...far]);
  expect(seen.ratio).toBeCloseTo(1.5);
  expect(seen.groups.map(({ ratio, rounds }) => [ratio, rounds])).toEqual([
    [4, 5],
    [1.5, 7],
  ]);
});
