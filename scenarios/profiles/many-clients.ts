import type { Profile } from "../profile.ts";

export const manyClients: Profile = {
  name: "many-clients",
  why:
    "One service of a machine that everybody uses. The tail under load is what its users feel, one broken client " +
    "must not stop the others, and a descriptor lost for each client ends it after a day.",
  needs: ["clients=64", "reliable"],
  workload: { clients: 8, payloads: [256], optimize: "p99" },
  typicalWorkMicros: 200,
  checks: ["connection-churn", "slow-loris"],
};
