import type { Profile } from "../profile.ts";

export const childProcess: Profile = {
  name: "child-process",
  why:
    "A program starts its helper and ends it: a worker, a compiler, an encoder. There is no address to guard and no " +
    "second client; what can go wrong is that one of the two dies and the other waits.",
  needs: ["child"],
  workload: { payloads: [64, 4096], optimize: "p50" },
  typicalWorkMicros: 1000,
  checks: ["server-dies", "graceful-shutdown"],
};
