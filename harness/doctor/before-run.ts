import { readSteal, type StealClock } from "../results/environment.ts";
import type { Finding, Probe } from "./finding.ts";
import { container, descriptors, processes, queues, sharedMemory, temporaryDirectory, watches } from "./limits.ts";
import { governor, load, NOTABLE_STEAL_BEFORE_RUN, stealFinding } from "./machine.ts";

/** What is quick to look at, and the ids it matters to. */
const QUICK: readonly { readonly probe: Probe; readonly ids: RegExp }[] = [
  { probe: temporaryDirectory, ids: /./ },
  { probe: descriptors, ids: /./ },
  { probe: processes, ids: /./ },
  { probe: container, ids: /./ },
  { probe: sharedMemory, ids: /^shm\// },
  { probe: queues, ids: /^posix-mq/ },
  { probe: watches, ids: /^file-drop\/watch/ },
  { probe: load, ids: /./ },
];

/**
 * Returns what about this machine can spoil a run of these ids, as far as that is quick to find out.
 *
 * @param since when the command began: time the hypervisor took since then
 * @param measures the run takes times, to which the clock of the CPU matters too
 */
export async function findingsBeforeRun(
  ids: readonly string[],
  since: StealClock | null,
  measures: boolean,
): Promise<Finding[]> {
  const probes = QUICK.filter((each) => ids.some((id) => each.ids.test(id))).map(({ probe }) => probe);
  const found = await Promise.all([...probes, ...(measures ? [governor] : [])].map((probe) => probe()));
  const stolen = stealFinding(since, readSteal(), NOTABLE_STEAL_BEFORE_RUN);
  return [...found.flat(), ...stolen].filter(({ status }) => status === "warning" || status === "problem");
}
