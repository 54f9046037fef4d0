import * as hdr from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { aggregate } from "./aggregate.ts";
import { isBimodal } from "./bimodal.ts";
import { encodeHistogram, mergeHistograms } from "./histogram.ts";
import { medianInterval } from "./intervals.ts";
import { NO_COSTS } from "./measurement.ts";
import type { InvalidTrial, ValidTrial } from "./model.ts";
import { enoughTogether, quantileSorted } from "./quantiles.ts";
import { randomFrom } from "./random.ts";
import { halves, summarize } from "./samples.ts";
import { driftWarning, stationarity } from "./stationarity.ts";

function trial(round: number, p50: number, more: Partial<ValidTrial> = {}): ValidTrial {
  return {
    round,
    startedAtMs: 0,
    status: "valid",
    latencyNs: { count: 1000, min: p50, p50, p90: p50 * 2, p99: p50 * 3, max: p50 * 4, mean: p50 },
    messagesPerSecond: 1e9 / p50,
    ...NO_COSTS,
    corrupted: 0,
    ...more,
  };
}

describe("percentiles", () => {
  it("are those of NumPy's inverted_cdf (R type 1)", () => {
    const sorted = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8].sort((a, b) => a - b);
    // numpy 2: np.percentile(a, 100 * q, method="inverted_cdf")
    expect([0.5, 0.9, 0.99].map((q) => quantileSorted(sorted, q))).toEqual([4, 8, 9]);
  });

  it("recover a known distribution exactly: constant, 70/30, and 3 % at ten times", () => {
    const of = (values: number[]) => summarize(Float64Array.from(values));
    expect(of(new Array(1000).fill(100))).toMatchObject({ p50: 100, p90: 100, p99: 100, mean: 100 });
    const bimodal = Array.from({ length: 1000 }, (_, index) => (index % 10 < 7 ? 100 : 300));
    expect(of(bimodal)).toMatchObject({ p50: 100, p90: 300, p99: 300, mean: 160 });
    const tail = Array.from({ length: 1000 }, (_, index) => (index % 100 < 97 ? 100 : 1000));
    expect(of(tail)).toMatchObject({ p50: 100, p90: 100, p99: 1000, mean: 127 });
  });

  it("are shown with 20 samples beyond them in all trials and 3 in each", () => {
    expect(enoughTogether(0.99, [334, 334, 334, 334, 334, 334])).toBe(true);
    expect(enoughTogether(0.99, [300, 300, 300])).toBe(false);
    expect(enoughTogether(0.99, [10_000, 100])).toBe(false);
  });
});

describe("the interval of the median", () => {
  it("covers the median as often as the binomial distribution says", () => {
    // scipy 1.17.1: 1 - 2 * binom.cdf(k - 1, n, 0.5) with k = binom.ppf(0.025, n, 0.5)
    const exact = { 6: 0.96875, 10: 0.978515625, 20: 0.9586105346679688, 40: 0.9615226917157997 };
    const random = randomFrom(5);
    for (const [n, coverage] of Object.entries(exact)) {
      let covered = 0;
      for (let run = 0; run < 4000; run++) {
        // Log-logistic: heavy-tailed like latencies, with the median 1.
        const values = Array.from({ length: Number(n) }, () => {
          const u = random();
          return u / (1 - u);
        });
        const [low, high] = medianInterval(values) ?? [0, 0];
        if (low <= 1 && high >= 1) covered++;
      }
      // Four standard errors of 4000 runs.
      expect(Math.abs(covered / 4000 - coverage), `n = ${n}`).toBeLessThan(0.013);
    }
  });
});

describe("histograms", () => {
  it("survive the way into a report, and merging equals recording together", () => {
    const first = Float64Array.from({ length: 500 }, (_, index) => 1000 + index);
    const second = Float64Array.from({ length: 500 }, (_, index) => 90_000 + index);
    const merged = mergeHistograms([encodeHistogram(first), encodeHistogram(second)]) ?? "";
    const together = hdr.decodeFromCompressedBase64(encodeHistogram(Float64Array.from([...first, ...second])));
    const found = hdr.decodeFromCompressedBase64(merged);
    expect(found.totalCount).toBe(1000);
    for (const q of [25, 50, 75, 99]) expect(found.getValueAtPercentile(q)).toBe(together.getValueAtPercentile(q));
  });
});

describe("bimodal trials", () => {
  it("are two groups with a gap", () => {
    expect(isBimodal([10, 11, 10.5, 30, 31, 30.5])).toBe(true);
  });

  it("are not one outlier, one group, or two groups that touch", () => {
    expect(isBimodal([10, 11, 10.5, 10.2, 10.7, 80])).toBe(false);
    expect(isBimodal([10, 11, 12, 13, 14, 15])).toBe(false);
    expect(isBimodal([10, 10.1, 10.2, 10.9, 11, 11.1])).toBe(false);
    expect(isBimodal([10, 30, 10, 30])).toBe(false);
  });
});

describe("stationarity", () => {
  it("takes the halves in the order of the samples", () => {
    const rising = Float64Array.from({ length: 200 }, (_, index) => (index < 100 ? 10 : 20));
    expect(halves(rising)).toEqual([10, 20]);
    expect(halves(new Float64Array(99))).toBeNull();
  });

  it("has a warning when the second half is slower in every trial, and none when it is not", () => {
    const drifting = Array.from({ length: 6 }, (_, round) => trial(round, 100, { halvesNs: [100, 120 + round] }));
    expect(driftWarning(stationarity(drifting))).toEqual({
      id: "not-stationary",
      text: expect.stringMatching(/the second half of a trial is 2\d % slower/),
    });
    const steady = Array.from({ length: 6 }, (_, round) => trial(round, 100, { halvesNs: [100, 98 + round] }));
    expect(driftWarning(stationarity(steady))).toBeUndefined();
  });

  it("compares the halves of the run", () => {
    const speeding = [10, 10, 10, 20, 20, 20].map((p50, round) => trial(round, p50));
    expect(stationarity(speeding)?.overRun).toBe(2);
  });
});

describe("a row", () => {
  it("is the median over valid trials, never over messages", () => {
    const trials = [5, 1, 3, 2, 4, 100].map((p50, round) => trial(round, p50));
    const evidence = trial(7, 1e9, { lost: 2 });
    const invalid: InvalidTrial = { round: 7, startedAtMs: 0, status: "invalid", reason: "2 lost", evidence };
    const figures = aggregate([...trials, invalid], 64);
    expect(figures.latencyNs?.p50).toBe(3.5);
    expect(figures.interval.p50).toEqual([1, 100]);
  });

  it("of an idle cell has a share of a CPU and no rate", () => {
    const figures = aggregate([trial(1, 1, { idleCpuShare: 0.02, messagesPerSecond: 0 })], 64);
    expect(figures.idleCpuShare).toBe(0.02);
    expect(figures.messagesPerSecond).toBeNull();
  });
});
