import type { Profile } from "../profile.ts";

export const smallAndFast: Profile = {
  name: "small-and-fast",
  why:
    "Many small messages where each microsecond counts, such as a trading step, a sensor or a tick of a game. Memory " +
    "rings and queues of the kernel are made for it; the price is a thread that blocks or a CPU that polls, which " +
    "stands beside the answer.",
  needs: ["reliable", "ordered"],
  workload: { payloads: [64, 256], optimize: "p50" },
  typicalWorkMicros: 0,
  checks: [],
};
