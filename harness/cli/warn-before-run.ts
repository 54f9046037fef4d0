import { findingsBeforeRun } from "../doctor/before-run.ts";
import { ours } from "../doctor/commands.ts";
import type { Finding } from "../doctor/finding.ts";
import { MachineError } from "../process/machine-error.ts";
import { note } from "../process/note.ts";
import { placeParent } from "../process/place-parent.ts";
import type { RunStart } from "./run.ts";
import type { Candidate } from "./transports.ts";

const MOST_LINES = 6;

/**
 * Prints, before the run begins, the state of the machine where times are taken, and obstacles to good figures, each
 * with its remedy.
 *
 * @throws MachineError where no run can work: without a directory, or without processes
 */
export async function warnBeforeRun(
  candidates: readonly Candidate[],
  { cpu }: Pick<RunStart, "cpu">,
  { measures }: { readonly measures: boolean },
): Promise<void> {
  placeParent();
  const ids = candidates.filter(({ record }) => record.available).map(({ record }) => record.id);
  const { machine, warnings } = await findingsBeforeRun(ids, cpu, measures);
  const obstacle = warnings.find(({ stopsRuns }) => stopsRuns);
  if (obstacle !== undefined) throw new MachineError(inOneLine(obstacle));
  if (measures) note(`machine: ${machine.map(({ found }) => found).join("; ")}`);
  for (const finding of warnings.slice(0, MOST_LINES)) {
    // The line of the machine shows it already.
    const isShown = measures && machine.includes(finding);
    note(`! ${isShown ? [finding.topic, adviceOf(finding)].join(": ") : inOneLine(finding)}`);
  }
  const more = warnings.length - MOST_LINES;
  if (more > 0) note(`! and ${more} more: ${ours("doctor")}`);
}

function inOneLine(finding: Finding): string {
  return [`${finding.topic}: ${finding.found}`, adviceOf(finding)].filter(Boolean).join("; ");
}

function adviceOf({ meaning, fix }: Finding): string {
  return [meaning, fix].filter((part) => part !== undefined).join("; ");
}
