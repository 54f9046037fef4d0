import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Trial } from "./model.ts";
import { median } from "./quantiles.ts";
import { compareRounds, rankByRounds, roundsOf } from "./ranking.ts";

const rounds = (...costs: readonly number[]): Map<number, number> => new Map(costs.map((cost, at) => [at + 1, cost]));
const contender = (name: string, ...costs: readonly number[]) => ({
  name,
  rounds: rounds(...costs),
  typical: costs.length > 0 ? median(costs) : 10,
});
const trial = (round: number, p50: number, status: Trial["status"] = "valid") =>
  ({ round, status, latencyNs: { count: 1, min: p50, p50, max: p50, mean: p50 } }) as Trial;

describe("the cost of rows in each round", () => {
  it("is the geometric mean of the rounds in which every row is valid", () => {
    const small = { trials: [trial(1, 10), trial(2, 20), trial(3, 30, "invalid")] };
    const large = { trials: [trial(1, 1000), trial(3, 1000)] };
    expect([...roundsOf([small, large])]).toEqual([[1, expect.closeTo(100, 9)]]);
  });

  it("is exact for one row, and leaves out what is no positive number", () => {
    const row = { trials: [trial(1, 17_123), trial(2, 0), trial(3, Number.NaN)] };
    expect([...roundsOf([row])]).toEqual([[1, 17_123]]);
  });
});

describe("two rows", () => {
  it("are compared by the median and the order statistics of the ratios in common rounds", () => {
    const one = new Map([...rounds(110, 220, 330, 90, 500, 660), [9, 1]]);
    const other = rounds(100, 200, 300, 100, 500, 600, 1);
    expect(compareRounds(one, other)).toEqual({ ratio: 1.1, interval: [0.9, 1.1], common: 6 });
  });

  it("have no interval with fewer than 6 rounds in common, whatever the numbers", () => {
    const costs = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { maxLength: 5 });
    fc.assert(
      fc.property(costs, costs, (one, other) => {
        expect(compareRounds(rounds(...one), rounds(...other)).interval).toBeNull();
      }),
    );
  });
});

describe("a group", () => {
  const order = (...group: ReturnType<typeof contender>[]) =>
    rankByRounds(group).map(({ row, standing }) => `${row.name} ${standing}`);

  it("has its best first, then ties and those behind by their ratio", () => {
    const base = [10, 20, 11, 19, 10.5, 21];
    const wavering = base.map((cost, at) => cost * (at % 2 === 0 ? 1.2 : 0.99));
    const slow = base.map((cost) => cost * 3);
    expect(order(contender("slow", ...slow), contender("b", ...wavering), contender("a", ...base))).toEqual([
      "a best",
      "b tied",
      "slow behind",
    ]);
  });

  it("has as its best the row whose largest ratio to any other is the smallest, also in a circle", () => {
    const costs = fc.array(fc.option(fc.integer({ min: 1, max: 9 }), { freq: 6 }), { maxLength: 9 });
    fc.assert(
      fc.property(fc.array(costs, { minLength: 1, maxLength: 8 }), (drawn) => {
        const rows = drawn.map((list, at) => {
          const rounds = new Map(list.flatMap((cost, round) => (cost === null ? [] : [[round, cost] as const])));
          return { name: `${at}`, rounds, typical: rounds.size === 0 ? 5 : median([...rounds.values()]) };
        });
        const ratioOf = (one: (typeof rows)[number], other: (typeof rows)[number]): number => {
          const { common, ratio } = compareRounds(one.rounds, other.rounds);
          return common === 0 ? one.typical / other.typical : ratio;
        };
        const worst = rows
          .toSorted((a, b) => a.typical - b.typical || a.name.localeCompare(b.name))
          .map((row) => ({ row, ratio: Math.max(1, ...rows.map((other) => ratioOf(row, other))) }));
        expect(rankByRounds(rows)[0]?.row).toBe(worst.toSorted((a, b) => a.ratio - b.ratio)[0]?.row);
      }),
    );
  });

  it("has no best while one row has too few rounds to tell", () => {
    const base = [10, 11, 10, 11, 10, 11];
    const slow = base.map((cost) => cost * 3);
    expect(order(contender("a", ...base), contender("b", ...slow), contender("c", 40, 40))).toEqual([
      "a unknown",
      "b behind",
      "c unknown",
    ]);
    expect(order(contender("a"), contender("b", 30))).toEqual(["a unknown", "b unknown"]);
    expect(order(contender("a", 30))).toEqual(["a best"]);
  });

  it("calls those a tie that are each ahead of the next in a circle", () => {
    const often = (...third: readonly number[]) => Array.from({ length: 300 }, (_, at) => third[at % 3] ?? 0);
    const [a, b, c] = [often(10, 20, 30), often(20, 30, 10), often(30, 10, 20)];
    expect(order(contender("a", ...a), contender("b", ...b), contender("c", ...c))).toEqual([
      "a best",
      "c tied",
      "b behind",
    ]);
  });
});
