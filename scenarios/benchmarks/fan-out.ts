import type { Benchmark } from "../benchmark.ts";

export const fanOut: Benchmark = {
  name: "fan-out",
  model: "fan-out",
  title: "One publisher, several subscriber processes",
  analysis:
    "Messages published per second until the last subscriber has the last one. A mechanism that distributes by " +
    "itself sends once; for the others the publisher sends one copy per connection. The slowest subscriber sets the " +
    "number.",
  pattern: "fan-out",
  standard: false,
  variants: [{ clients: 1 }, { clients: 2 }, { clients: 4 }, { clients: 8 }],
  payloads: [64, 4096],
  weight: 1,
};
