import type { Benchmark } from "../benchmark.ts";

export const idle: Benchmark = {
  name: "idle",
  model: "idle",
  title: "CPU while nothing happens",
  analysis:
    "One open connection without traffic. The figure is CPU time over wall time of both processes together: 1 is one " +
    "CPU in full use. A polling mechanism pays this all day for its speed.",
  pattern: "any",
  standard: false,
  variants: [{}],
  payloads: [64],
  weight: 1,
};
