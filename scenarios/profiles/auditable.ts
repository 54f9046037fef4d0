import type { Profile } from "../profile.ts";

export const auditable: Profile = {
  name: "auditable",
  why:
    "Messages that a person can look at, keep and hand in again with ordinary tools, and that wait while the server " +
    "is away. Files do that and nothing else here; they are slow, which is why few should choose them for anything " +
    "else.",
  needs: ["persistent", "permissions", "no-dependency"],
  workload: { payloads: [4096], optimize: "p50" },
  typicalWorkMicros: 1000,
  checks: [],
};
