import { openBundle, thisPackage } from "../bundle/bundle.ts";
import { type Refusal, refusedDirectories } from "../process/private-directory.ts";
import type { Finding, Probe } from "./finding.ts";

const topic = "start of processes";

/** Reports where drivers and peers start from, and which directories cannot be used for it. */
export const startUp: Probe = async () => {
  const opened = await openBundle({ builds: false });
  const refused = refusedDirectories(thisPackage().root, process.env).map(warning);
  if (!("reason" in opened)) return [{ topic, status: "ok", found: `from ${opened.directory}` }, ...refused];
  if (opened.fix === undefined)
    return [{ topic, status: "note", found: `from the source: ${opened.reason}` }, ...refused];
  return refused.length > 0 ? refused : [warning(opened)];
};

function warning({ reason, fix = "" }: Refusal): Finding {
  return { topic, status: "warning", found: reason, meaning: "each pair of processes may take longer to start", fix };
}
