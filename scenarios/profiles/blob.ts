import type { Profile } from "../profile.ts";

export const blob: Profile = {
  name: "blob",
  why:
    "Images, arrays and tables of a megabyte and more. Copies cost more than calls here. Shared memory with a " +
    "small message that points to the data avoids them; it must carry a whole message and give its memory back.",
  needs: ["message=1MiB", "reliable"],
  workload: { payloads: [256 * 1024, 1024 * 1024], optimize: "throughput" },
  typicalWorkMicros: 0,
  checks: ["large-messages"],
};
