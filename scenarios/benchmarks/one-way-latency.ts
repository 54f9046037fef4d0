import type { Benchmark } from "../benchmark.ts";

export const oneWayLatency: Benchmark = {
  name: "one-way-latency",
  model: "one-way",
  title: "One-way latency of a lone message",
  analysis:
    "A message every millisecond, stamped by the receiver with CLOCK_MONOTONIC, the clock that both processes share. " +
    "The mechanism is idle in between, so this is mostly the time it takes to wake the receiver.",
  pattern: "one-way",
  standard: false,
  variants: [{ ratePerSecond: 1000, arrivals: "fixed" }],
  payloads: [64, 4096],
  weight: 1,
};
