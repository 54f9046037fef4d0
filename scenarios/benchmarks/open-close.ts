import type { Benchmark } from "../benchmark.ts";

export const openClose: Benchmark = {
  name: "open-close",
  model: "open-close",
  title: "Connect, first reply, close",
  analysis:
    "The cost of a connection that is used once, against a server that is running. A mechanism whose connect is lazy pays in the first " +
    "reply: read the sum. Starting processes is not included.",
  pattern: "request-reply",
  standard: false,
  variants: [{}],
  payloads: [64],
  weight: 1,
};
