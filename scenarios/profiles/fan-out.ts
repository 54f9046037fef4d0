import type { Profile } from "../profile.ts";

export const fanOut: Profile = {
  name: "fan-out",
  why:
    "One program announces changes and several others listen. What counts is that a slow or late listener costs " +
    "neither the others nor the publisher, and how many announcements a second come through.",
  needs: ["fan-out"],
  workload: { payloads: [256], optimize: "throughput" },
  typicalWorkMicros: 0,
  checks: [],
};
