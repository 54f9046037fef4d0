import type { Benchmark } from "../benchmark.ts";

export const clientsMemory: Benchmark = {
  name: "clients-memory",
  model: "clients-memory",
  title: "Memory of the server side for each client",
  analysis:
    "Private memory, descriptors and threads of the server side with one client and with several. Mechanisms over " +
    "standard streams start a child for each client; the others serve all clients from one process. Private memory " +
    "excludes what processes share, such as the code of the runtime. The memory of the clients is not included.",
  pattern: "request-reply",
  standard: false,
  variants: [{ clients: 10 }, { clients: 100 }],
  payloads: [64],
  weight: 1,
};
