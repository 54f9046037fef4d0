import { findingsBeforeRun } from "../doctor/before-run.ts";
import { ours } from "../doctor/commands.ts";
import { placeParent } from "../process/place-parent.ts";
import { note } from "./output.ts";
import type { RunStart } from "./run.ts";
import type { Candidate } from "./transports.ts";

const MOST_LINES = 4;

/**
 * Says what about this machine can spoil the run, each with what to do about it, before it begins: afterwards it is too late.
 *
 * @throws MachineError where there is no directory to work in
 */
export async function warnBeforeRun(
  candidates: readonly Candidate[],
  { steal }: Pick<RunStart, "steal">,
  { measures }: { readonly measures: boolean },
): Promise<void> {
  placeParent();
  const ids = candidates.filter(({ record }) => record.available).map(({ record }) => record.id);
  const findings = await findingsBeforeRun(ids, steal, measures);
  for (const { topic, found, meaning, fix } of findings.slice(0, MOST_LINES)) {
    note(`! ${[`${topic}: ${found}`, meaning, fix].filter((part) => part !== undefined).join("; ")}`);
  }
  const more = findings.length - MOST_LINES;
  if (more > 0) note(`! and ${more} more: ${ours("doctor")}`);
}
