import type { Profile } from "../profile.ts";

export const schema: Profile = {
  name: "schema",
  why:
    "Two teams agree on the fields of every record before they write code, and several requests are under way at " +
    "once. gRPC brings the schema and its tools; the question is what they cost beside a socket that carries the " +
    "same records.",
  needs: ["python", "in-flight=16", "reliable"],
  workload: { payloads: [1024], optimize: "p50" },
  typicalWorkMicros: 1000,
  checks: ["pipelining"],
};
