import { describe, expect, it } from "vitest";
import { randomFrom } from "../../harness/results/random.ts";
import { effectOf, skippedWalsh } from "./effect.ts";
import { signFlipP } from "./sign-flip.ts";

const SLOWER = [0.021, 0.034, -0.012, 0.051, 0.008, 0.027, -0.003, 0.044, 0.019, 0.031];
const EVEN = [0.02, -0.03, 0.01, -0.015, 0.004, -0.001, 0.013, -0.022];

describe("the exact sign-flip test", () => {
  it("gives the p values of SciPy's exact permutation test", () => {
    // scipy 1.17.1:
    // permutation_test((x,), np.mean, permutation_type="samples", alternative="greater", n_resamples=np.inf)
    expect(signFlipP(SLOWER)).toBe(0.005859375);
    expect(signFlipP(EVEN)).toBe(0.66796875);
  });

  it("is 2^-n when every pair points the same way, and 1 when none does", () => {
    expect(signFlipP([1, 2, 3, 4, 5, 6, 7, 8])).toBe(2 ** -8);
    expect(signFlipP([-1, -2, -3])).toBe(1);
    expect(signFlipP([0, 0, 0])).toBe(1);
    expect(signFlipP([])).toBe(1);
  });

  it("draws patterns beyond 22 pairs and then agrees with what the exact test would say", () => {
    const many = Array.from({ length: 24 }, (_, index) => (index % 3 === 0 ? -1 : 1) * (index + 1));
    // NumPy, exact by convolution of the 24 two-point distributions
    expect(signFlipP(many, randomFrom(7))).toBeCloseTo(0.05054819583892822, 2);
  });

  it("calls at most its level of identical sides slower", () => {
    const random = randomFrom(11);
    let alarms = 0;
    for (let run = 0; run < 2000; run++) {
      // Skewed on purpose: the test assumes exchangeable sides and no normality.
      const differences = Array.from({ length: 10 }, () => Math.log(1 / random()) - Math.log(1 / random()));
      if (signFlipP(differences) <= 0.01) alarms++;
    }
    expect(alarms / 2000).toBeLessThan(0.02);
  });
});

describe("the Hodges-Lehmann estimate", () => {
  it("has the interval of R's exact wilcox.test", () => {
    // R: qsignrank(0.025, n) - 1 for n = 5, 6, 8, 10, 15, 20
    expect([5, 6, 8, 10, 15, 20].map(skippedWalsh)).toEqual([-1, 0, 3, 8, 25, 52]);
    // scipy/numpy: median of the Walsh averages, and the 9th from each end
    const { ratio, interval } = effectOf(SLOWER);
    expect(Math.log(ratio)).toBeCloseTo(0.023, 12);
    expect(interval?.map(Math.log).map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0.008, 0.036]);
  });

  it("has no interval below 6 pairs", () => {
    expect(effectOf([1, 2, 3, 4, 5]).interval).toBeUndefined();
  });
});
