import { setTimeout as delay } from "node:timers/promises";
import { type CpuClock, othersShare, readCpuClock } from "../results/environment.ts";
import type { Finding, Probe } from "./finding.ts";
import { container, descriptors, processes, queues, sharedMemory, temporaryDirectory, watches } from "./limits.ts";
import { governor, loadFinding, NOTABLE_STEAL_BEFORE_RUN, posixBinding, processors, stealFinding } from "./machine.ts";

/** Extra time to watch, ms, where the command has run too short a time to show the CPU use of others. */
const WATCHED_MS = 150;

/** Quick probes, with the ids of the mechanisms that they concern. */
const QUICK: readonly { readonly probe: Probe; readonly ids: RegExp }[] = [
  { probe: temporaryDirectory, ids: /./ },
  { probe: descriptors, ids: /./ },
  { probe: processes, ids: /./ },
  { probe: container, ids: /./ },
  { probe: sharedMemory, ids: /^shm\// },
  { probe: queues, ids: /^posix-mq/ },
  { probe: watches, ids: /^file-drop\/watch/ },
];

/** Further probes for runs that measure times. */
const MEASURING: readonly Probe[] = [posixBinding, processors];

export interface BeforeRun {
  /** Load, hypervisor and, for measuring runs, the governor of the CPUs. They are here whatever their status. */
  readonly machine: readonly Finding[];
  /** Findings that can spoil the run, the gravest for its figures first. */
  readonly warnings: readonly Finding[];
}

/**
 * Examines quickly what about this machine can spoil a run of these ids.
 *
 * @param since clock at the start of the command, from which on the use by others and the hypervisor counts
 * @param measures `true` when the run measures times
 */
export async function findingsBeforeRun(
  ids: readonly string[],
  since: CpuClock | null,
  measures: boolean,
): Promise<BeforeRun> {
  if (measures && since !== null && othersShare(since, readCpuClock()) === null) await delay(WATCHED_MS);
  const now = readCpuClock();
  const machine = [
    loadFinding(since, now),
    ...stealFinding(since, now, NOTABLE_STEAL_BEFORE_RUN),
    ...(measures ? await governor() : []),
  ];
  const quick = QUICK.filter((each) => ids.some((id) => each.ids.test(id))).map(({ probe }) => probe);
  const found = await Promise.all([...(measures ? MEASURING : []), ...quick].map((probe) => probe()));
  const warnings = [...machine, ...found.flat()].filter(({ status }) => status === "warning" || status === "problem");
  return { machine, warnings };
}
