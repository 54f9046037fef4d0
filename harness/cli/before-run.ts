import { findingsBeforeRun } from "../doctor/before-run.ts";
import { ours } from "../doctor/commands.ts";
import type { Finding } from "../doctor/finding.ts";
import { MachineError } from "../process/machine-error.ts";
import { placeParent } from "../process/place-parent.ts";
import { note } from "./output.ts";
import type { RunStart } from "./run.ts";
import type { Candidate } from "./transports.ts";

const MOST_LINES = 4;

/**
 * Says what about this machine can spoil the run, each with what to do about it, before it begins: afterwards it is too late.
 *
 * @throws MachineError where no run can work: without a directory, or without processes
 */
export async function warnBeforeRun(
  candidates: readonly Candidate[],
  { steal }: Pick<RunStart, "steal">,
  { measures }: { readonly measures: boolean },
): Promise<void> {
  placeParent();
  const ids = candidates.filter(({ record }) => record.available).map(({ record }) => record.id);
  const findings = await findingsBeforeRun(ids, steal, measures);
  const obstacle = findings.find(({ stopsRuns }) => stopsRuns);
  if (obstacle !== undefined) throw new MachineError(inOneLine(obstacle));
  for (const finding of findings.slice(0, MOST_LINES)) note(`! ${inOneLine(finding)}`);
  const more = findings.length - MOST_LINES;
  if (more > 0) note(`! and ${more} more: ${ours("doctor")}`);
}

function inOneLine({ topic, found, meaning, fix }: Finding): string {
  return [`${topic}: ${found}`, meaning, fix].filter((part) => part !== undefined).join("; ");
}
