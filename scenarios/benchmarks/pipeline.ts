import type { Benchmark, Variant } from "../benchmark.ts";

const DEPTHS = [1, 4, 16, 64] as const;

const variants = DEPTHS.flatMap((inFlight): Variant[] =>
  inFlight === 1 ? [{ inFlight }] : [{ inFlight }, { inFlight, batched: true }],
);

export const pipeline: Benchmark = {
  name: "pipeline",
  model: "pipeline",
  title: "Requests in flight",
  analysis:
    "Several requests are under way at once. Sliding: each reply makes room for one more. Batched: all replies " +
    "arrive, then the next batch is sent. Throughput grows with the depth until one side is always busy; from there " +
    "on only the latency grows, by queueing. Compare throughput at one depth, or one transport along its depths.",
  pattern: "request-reply",
  standard: false,
  variants: variants as [Variant, ...Variant[]],
  payloads: [64, 4096],
  weight: 1,
};
