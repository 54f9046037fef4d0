import type { Benchmark } from "../benchmark.ts";

export const workload: Benchmark = {
  name: "workload",
  model: "workload",
  title: "The requests that were asked for",
  analysis:
    "Client processes send at the same time to one server, which works on each request for the time that was asked for. Without a rate each " +
    "client sends its next request when it has the reply, so a slow reply holds the next request back. With a rate the requests start on a " +
    "schedule that waits for nobody, and latency counts from the intended start. Sizes of a mix take turns on every connection, so a small " +
    "request may wait behind a large one. The clients share the CPUs of the driver, and their waiting for each other is part of the latency.",
  pattern: "request-reply",
  standard: false,
  variants: [{ clients: 2, ratePerSecond: 1000, arrivals: "fixed", workMicros: 50 }],
  payloads: [64],
  weight: 1,
};
