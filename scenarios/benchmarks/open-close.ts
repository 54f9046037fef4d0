import type { Benchmark } from "../benchmark.ts";

export const openClose: Benchmark = {
  name: "open-close",
  model: "open-close",
  title: "Connect, first reply, close",
  analysis:
    "The cost of a connection that is used once, against a running server. A mechanism that connects lazily pays " +
    "with the first reply, so read the sum. Starting processes is not included.",
  pattern: "request-reply",
  standard: false,
  variants: [{}],
  payloads: [64],
  weight: 1,
};
