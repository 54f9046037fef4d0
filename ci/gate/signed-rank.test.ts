import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomFrom } from "../../harness/results/random.ts";
import { SignedRanks, skippedWalsh } from "./signed-rank.ts";

const SLOWER = [0.021, 0.034, -0.012, 0.051, 0.008, 0.027, -0.003, 0.044, 0.019, 0.031];
const EVEN = [0.02, -0.03, 0.01, -0.015, 0.004, -0.001, 0.013, -0.022];
const MANY = Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? -1 : 1) * (index + 1) + 0.001 * index);

describe("the exact signed-rank test", () => {
  it("gives the p values of SciPy", () => {
    // scipy 1.17.1: wilcoxon(x, alternative="greater", method="exact")
    expect(new SignedRanks(SLOWER).p).toBe(0.0068359375);
    expect(new SignedRanks(EVEN).p).toBe(0.6796875);
    expect(new SignedRanks(MANY).p).toBeCloseTo(0.05001572640048835, 12);
  });

  it("is 2^-n when every pair points the same way, and 1 when none does", () => {
    expect(new SignedRanks([1, 2, 3, 4, 5, 6, 7, 8]).p).toBe(2 ** -8);
    expect(new SignedRanks([-1, -2, -3]).p).toBe(1);
    expect(new SignedRanks([0, 0, 0]).p).toBe(1);
  });

  it("calls at most its level of identical sides slower, whatever their distribution", () => {
    const random = randomFrom(11);
    let alarms = 0;
    for (let run = 0; run < 2000; run++) {
      const differences = Array.from({ length: 10 }, () => Math.log(1 / random()) - Math.log(1 / random()));
      if (new SignedRanks(differences).p <= 0.01) alarms++;
    }
    expect(alarms / 2000).toBeLessThan(0.02);
  });
});

describe("the estimate and its bounds", () => {
  it("are those of R's exact wilcox.test", () => {
    // R: qsignrank(0.025, n) - 1 for n = 5, 6, 8, 10, 15, 20
    expect([5, 6, 8, 10, 15, 20].map((n) => skippedWalsh(n, 0.025))).toEqual([-1, 0, 3, 8, 25, 52]);
    // scipy/numpy: median of the Walsh averages, and the 9th from each end
    const ranks = new SignedRanks(SLOWER);
    expect(ranks.estimate).toBeCloseTo(0.023, 12);
    expect(ranks.interval(0.95)?.map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0.008, 0.036]);
    expect(new SignedRanks([1, 2, 3, 4, 5]).interval(0.95)).toBeUndefined();
  });

  it("belong to the test: the lower bound is above zero exactly where p is at most the level", () => {
    const differences = fc.array(fc.double({ min: -1, max: 2, noNaN: true }), { minLength: 6, maxLength: 40 });
    fc.assert(
      fc.property(differences, fc.double({ min: 0.0005, max: 0.4, noNaN: true }), (values, level) => {
        const ranks = new SignedRanks(values);
        expect((ranks.lowerBound(level) ?? -1) > 0).toBe(ranks.p <= level);
      }),
    );
  });
});
