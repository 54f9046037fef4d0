import { describe, expect, it } from "vitest";
import { medianInterval } from "./intervals.ts";

/** R: qbinom(0.025, n, 0.5) gives the first rank (1-based) of the interval; n = 6..40. */
const FIRST_RANK: Readonly<Record<number, number>> = {
  6: 1,
  8: 1,
  9: 2,
  10: 2,
  12: 3,
  15: 4,
  20: 6,
  25: 8,
  30: 10,
  40: 14,
};

describe("the order-statistic interval of the median", () => {
  it("has the ranks that R's qbinom gives", () => {
    for (const [n, rank] of Object.entries(FIRST_RANK)) {
      const values = Array.from({ length: Number(n) }, (_, index) => index + 1);
      expect(medianInterval(values), `n = ${n}`).toEqual([rank, Number(n) + 1 - rank]);
    }
  });

  it("does not exist for fewer than 6 values", () => {
    expect(medianInterval([1, 2, 3, 4, 5])).toBeUndefined();
    expect(medianInterval([])).toBeUndefined();
  });

  it("does not depend on the order of the values", () => {
    expect(medianInterval([5, 1, 6, 3, 2, 4])).toEqual([1, 6]);
  });
});
