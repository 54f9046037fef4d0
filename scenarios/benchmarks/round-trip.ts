import type { Benchmark } from "../benchmark.ts";

export const roundTrip: Benchmark = {
  name: "round-trip",
  model: "ping-pong",
  title: "Round trip of one request at a time",
  analysis:
    "One client sends a request and waits for its verified echo before it sends the next: the service time of a call " +
    "on an idle server. In this closed loop a stall delays the next request instead of being counted against it, so " +
    "the tail of a server under load is worse than this one.",
  pattern: "request-reply",
  standard: true,
  variants: [{}],
  weight: 3,
};
