import type { Benchmark } from "../benchmark.ts";

export const coldStart: Benchmark = {
  name: "cold-start",
  model: "cold-start",
  title: "Start a server, connect, first reply",
  analysis:
    "The time from the start of a server process to its first verified reply. Its parts are shown too: until the " +
    "server listens, until the client is connected, the first reply, and (not in the sum) the second one. The client " +
    "is warm, files are in the page cache, and Node finds its compiled code. Most of the time is that of the runtime " +
    "and of the libraries which a mechanism loads.",
  pattern: "request-reply",
  standard: false,
  variants: [{}],
  payloads: [64],
  weight: 1,
};
