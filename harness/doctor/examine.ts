import type { Finding, Probe } from "./finding.ts";
import { keptBases } from "./kept-bases.ts";
import { leftovers, strayProcesses } from "./leftovers.ts";
import { container, descriptors, processes, queues, sharedMemory, temporaryDirectory, watches } from "./limits.ts";
import { governor, neighbours, posixBinding, processors, software } from "./machine.ts";
import { programs } from "./programs.ts";
import { startUp } from "./start-up.ts";
import { stalePaths, symptoms } from "./symptoms.ts";

const PROBES: readonly Probe[] = [
  software,
  posixBinding,
  startUp,
  processors,
  governor,
  neighbours,
  container,
  descriptors,
  processes,
  queues,
  sharedMemory,
  temporaryDirectory,
  watches,
  programs,
  leftovers,
  keptBases,
  stalePaths,
  strayProcesses,
  symptoms,
];

/** Runs all probes. One that fails is a finding itself. */
export async function examine(probes: readonly Probe[] = PROBES): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const probe of probes) {
    try {
      findings.push(...(await probe()));
    } catch (error) {
      findings.push({
        topic: probe.name || "probe",
        status: "note",
        found: `the probe failed: ${(error as Error).message}`,
      });
    }
  }
  return findings;
}
