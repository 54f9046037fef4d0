import type { Profile } from "../profile.ts";

export const rpc: Profile = {
  name: "rpc",
  why:
    "Requests and replies between two programs, nothing else asked for: what most people begin with. The answer " +
    "counts only if clients find a server again that was restarted, so the checks of that run too, and the sentence " +
    "names them.",
  needs: [],
  workload: { optimize: "p50" },
  typicalWorkMicros: 1000,
  checks: ["reconnect", "restart/after-kill"],
};
