import type { Benchmark } from "../benchmark.ts";

export const throughput: Benchmark = {
  name: "throughput",
  model: "stream",
  title: "One-way messages, as fast as the transport takes them",
  analysis:
    "The sender sends whenever the transport accepts; the receiver verifies every message, and the clock stops when " +
    "it has the last one. Nothing waits for a reply, so this is how many messages fit, not how soon one arrives.",
  pattern: "one-way",
  standard: true,
  variants: [{}],
  weight: 1,
};
