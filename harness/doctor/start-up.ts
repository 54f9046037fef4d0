import { openBundle } from "../bundle/bundle.ts";
import type { Probe } from "./finding.ts";

export const startUp: Probe = async () => {
  const topic = "start of processes";
  const opened = await openBundle({ builds: false });
  if (!("reason" in opened)) return [{ topic, status: "ok", found: `from ${opened.directory}` }];
  const { reason, fix } = opened;
  const found = `from the source: ${reason}`;
  if (fix === undefined) return [{ topic, status: "note", found }];
  return [{ topic, status: "warning", found, meaning: "each pair of processes takes longer to start", fix }];
};
