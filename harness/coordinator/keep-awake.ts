import { fileURLToPath } from "node:url";
import { Child } from "../process/child.ts";
import { parseCpuList } from "../process/cpus.ts";
import { placementCpus } from "../process/pinning.ts";
import type { Environment, Placement } from "../results/model.ts";

const START_TIMEOUT_MS = 5000;

export interface KeepAwake {
  readonly record: NonNullable<Environment["keepAwake"]>;
  end(): Promise<void>;
}

/**
 * Starts an idle-priority loop on every CPU of these placements. Returns why it cannot; the run then goes on without
 * one.
 */
export async function keepAwake(placements: readonly Placement[]): Promise<KeepAwake> {
  const cpus = new Set<number>();
  for (const placement of placements) {
    const found = placementCpus(placement);
    if ("reason" in found) continue;
    for (const cpu of [...parseCpuList(found.driver), ...parseCpuList(found.peer)]) cpus.add(cpu);
  }
  const children: Child<never, { type: "awake" }>[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.terminate(0)));
  };
  try {
    for (const cpu of cpus) {
      // SCHED_IDLE needs no privilege; a low nice value would still take its share of a busy CPU.
      const child = await Child.start<never, { type: "awake" }>("keep-awake", [
        "taskset",
        "-c",
        String(cpu),
        "chrt",
        "--idle",
        "0",
        process.execPath,
        fileURLToPath(new URL("../control/keep-awake.mjs", import.meta.url)),
        String(process.pid),
      ]);
      children.push(child);
      await child.next(["awake"], START_TIMEOUT_MS);
    }
    return { record: { cpus: [...cpus] }, end };
  } catch (error) {
    await end();
    const reason = `needs Linux with taskset and chrt (package util-linux): ${(error as Error).message}`;
    return { record: { reason }, end: async () => {} };
  }
}
