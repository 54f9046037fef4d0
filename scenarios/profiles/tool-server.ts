import type { Profile } from "../profile.ts";

export const toolServer: Profile = {
  name: "tool-server",
  why:
    "A local server that an editor or an agent starts and speaks JSON to, such as a language server or a tool " +
    "server. One client, requests of a few kilobytes at a human's pace: the codec is a part of the time, and a lost " +
    "or overtaken message corrupts the session.",
  needs: ["child", "ordered", "reliable"],
  workload: { payloads: [1024, 16 * 1024], codec: "json", optimize: "p50" },
  typicalWorkMicros: 10_000,
  checks: ["server-dies", "graceful-shutdown", "hostile-bytes"],
};
