import type { Profile } from "../profile.ts";

export const portable: Profile = {
  name: "portable",
  why:
    "A program that ships on Linux, macOS and Windows and wants one mechanism on all three. That is a local socket " +
    "of node:net or TCP on loopback for most; the machine that measures shows one system, and the records state the " +
    "others.",
  needs: ["linux", "macos", "windows"],
  workload: { payloads: [64, 4096], optimize: "p50" },
  typicalWorkMicros: 1000,
  checks: ["reconnect", "restart/after-kill"],
};
