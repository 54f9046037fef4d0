import type { Benchmark } from "../benchmark.ts";

export const fanIn: Benchmark = {
  name: "fan-in",
  model: "fan-in",
  title: "Several client processes, one server",
  analysis:
    "Each client process keeps one request in flight. Throughput is that of all together, latency that of each " +
    "request. The clients share the driver's CPUs: with fewer CPUs than processes, latency includes their waiting " +
    "for each other.",
  pattern: "request-reply",
  standard: false,
  variants: [{ clients: 1 }, { clients: 2 }, { clients: 4 }, { clients: 8 }, { clients: 16 }],
  payloads: [64],
  weight: 1,
};
