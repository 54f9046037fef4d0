import type { Benchmark } from "../benchmark.ts";

export const workload: Benchmark = {
  name: "workload",
  model: "workload",
  title: "The requests that were asked for",
  analysis:
    "Client processes send at the same time to one server, which works on each request for the requested time. " +
    "Without a rate each client waits for the reply before its next request, so a slow reply delays it. With a rate " +
    "the requests start on a fixed schedule, and latency counts from the intended start. Sizes of a mix take turns " +
    "on every connection, so a small request may wait behind a large one. The clients share the driver's CPUs, and " +
    "latency includes their waiting for each other.",
  pattern: "request-reply",
  standard: false,
  variants: [{ clients: 2, ratePerSecond: 1000, arrivals: "fixed", workMicros: 50 }],
  payloads: [64],
  weight: 1,
};
