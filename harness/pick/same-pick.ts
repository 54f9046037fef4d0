import type { Pick } from "../results/model.ts";
import { type Answered, pickAmong } from "./among.ts";
import { isComplete } from "./needs-matrix.ts";

/** True where today's rule gives the stored pick again. It may not for a report of another version of ipcmark. */
export function givesSamePick(report: Answered): boolean {
  const { pick: stored, transports } = report;
  // An old report may lack what the rule reads.
  if (!stored || !transports.every(({ capabilities }) => isComplete(capabilities))) return false;
  const { payloads, modes, placement } = stored.workload;
  if ([payloads, modes, placement].includes(undefined as never)) return false;
  const found = pickAmong(report, () => true);
  if (found === null) return false;
  const partsOf = ({ transport, mode, verdict, ties }: Pick): string =>
    JSON.stringify([transport, mode, verdict, ties]);
  return partsOf(stored) === partsOf(found);
}
