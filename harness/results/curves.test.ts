import { describe, expect, it } from "vitest";
import { rowOf } from "../testing/synthetic-report.ts";
import { curvesOf, fitLine, kneeOf } from "./curves.ts";
import type { MeasuredRow, Measurement } from "./model.ts";

const row = (more: Partial<MeasuredRow>, p50: number, messagesPerSecond = 1000): MeasuredRow =>
  rowOf("unix", [p50], { messagesPerSecond, ...more });

describe("curves", () => {
  it("join rows that differ in one variable, in ascending order, and leave out what failed", () => {
    const rows = [256, 1, 16, 4096].map((payloadBytes) => row({ payloadBytes }, 1000 + payloadBytes));
    const failed: Measurement = { ...row({ payloadBytes: 9 }, 1), status: "failed", reason: "2 lost" };
    const [curve, ...others] = curvesOf([...rows, failed]);
    expect(others).toEqual([]);
    expect(curve?.points.map(({ x }) => x)).toEqual([1, 16, 256, 4096]);
    expect(curve?.fit?.fixedNs).toBeCloseTo(1000, 6);
    expect(curve?.fit?.nsPerByte).toBeCloseTo(1, 6);
  });

  it("keep fixed and Poisson arrivals, sliding and batched apart", () => {
    const rates = [1, 2, 3].flatMap((ratePerSecond) => [
      row({ ratePerSecond, arrivals: "fixed" }, 10),
      row({ ratePerSecond, arrivals: "poisson" }, 10),
    ]);
    expect(curvesOf(rates).map(({ fixed }) => fixed)).toEqual(["64 B, fixed", "64 B, poisson"]);
  });

  it("put the knee before the rate that was not followed or whose median left the lowest behind", () => {
    const at = (ratePerSecond: number, p50: number, achieved = ratePerSecond) => row({ ratePerSecond }, p50, achieved);
    expect(kneeOf([at(1000, 10), at(2000, 12), at(5000, 29), at(10_000, 31)])).toBe(5000);
    expect(kneeOf([at(1000, 10), at(2000, 12, 1500)])).toBe(1000);
    expect(kneeOf([at(1000, 10, 100)])).toBeNull();
  });

  it("fit the line that NumPy's weighted least squares gives", () => {
    const points = [
      { x: 1, p50: 9100 },
      { x: 64, p50: 9300 },
      { x: 4096, p50: 11_800 },
      { x: 65_536, p50: 52_000 },
      { x: 1_048_576, p50: 640_000 },
    ];
    // numpy 2.4.6: np.polyfit(x, y, 1, w=1/y)
    expect(fitLine(points)?.nsPerByte).toBeCloseTo(0.620858496, 8);
    expect(fitLine(points)?.fixedNs).toBeCloseTo(9219.95065, 4);
  });

  it("fit small and large messages alike, and never below zero", () => {
    expect(
      fitLine([
        { x: 1, p50: 10 },
        { x: 2, p50: 9 },
      ]),
    ).toBeUndefined();
    expect(fitLine([1, 2, 3].map((x) => ({ x, p50: 10 - x })))?.nsPerByte).toBe(0);
  });
});
