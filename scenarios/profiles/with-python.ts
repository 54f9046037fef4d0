import type { Profile } from "../profile.ts";

export const withPython: Profile = {
  name: "with-python",
  why:
    "A program in Node calls one in Python, as a user interface calls a model. The server of the measurement is the " +
    "Python one, since it decides how long a request takes.",
  needs: ["python"],
  workload: { peer: "python", payloads: [64, 4096], optimize: "p50" },
  typicalWorkMicros: 1000,
  checks: ["other-languages"],
};
