import type { Model } from "./model.ts";

/** Models by id. They are loaded on demand, since loading all would take a large part of a driver's half second. */
export const MODELS: Readonly<Record<string, () => Promise<Model>>> = {
  "ping-pong": async () => (await import("./ping-pong.ts")).pingPong,
  pipeline: async () => (await import("./pipeline.ts")).pipeline,
  stream: async () => (await import("./stream.ts")).stream,
  "one-way": async () => (await import("./one-way.ts")).oneWay,
  paced: async () => (await import("./paced.ts")).paced,
  "fan-in": async () => (await import("./fan-in.ts")).fanIn,
  "fan-out": async () => (await import("./fan-out.ts")).fanOut,
  "open-close": async () => (await import("./open-close.ts")).openClose,
  "cold-start": async () => (await import("./cold-start.ts")).coldStart,
  "clients-memory": async () => (await import("./clients-memory.ts")).clientsMemory,
  workload: async () => (await import("./workload.ts")).workload,
  idle: async () => (await import("./idle.ts")).idle,
  "codec-round-trip": async () => (await import("./codec-round-trip.ts")).codecRoundTrip,
};

export async function findModel(id: string): Promise<Model> {
  const load = MODELS[id];
  if (load === undefined) throw new Error(`unknown model ${id}`);
  return load();
}
