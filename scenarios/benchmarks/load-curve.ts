import type { Benchmark, Variant } from "../benchmark.ts";

const RATES = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000] as const;

const variants = RATES.flatMap((ratePerSecond): Variant[] => [
  { ratePerSecond, arrivals: "fixed" },
  { ratePerSecond, arrivals: "poisson" },
]);

export const loadCurve: Benchmark = {
  name: "load-curve",
  model: "paced",
  title: "Latency under a given load",
  analysis:
    "Requests start on a fixed schedule, and latency counts from the intended start, so a stall is charged to every " +
    "request it delayed. The rates climb 1-2-5 until the mechanism no longer follows. Near that knee a little more " +
    "load changes the latency by orders of magnitude: read the curve, not a point.",
  pattern: "request-reply",
  standard: false,
  variants: variants as [Variant, ...Variant[]],
  payloads: [64],
  weight: 1,
};
