import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import type { Arm, Cell } from "../coordinator/arm.ts";
import { MachineError } from "../process/machine-error.ts";
import { cgroupLimits } from "../results/environment.ts";
import { bytes } from "../results/format.ts";

/** Memory that a child needs at most, bytes: twice what one was seen to hold. */
const CHILD_BYTES = 24 * 1024 * 1024;
/** Memory that a client of a shared server needs at most on both sides, bytes. */
const CLIENT_BYTES = 1024 * 1024;

/** Refuses `clients-memory` where the free memory does not hold its clients. @throws MachineError */
export function refuseWithoutMemory(
  arms: readonly Arm[],
  cells: readonly Cell[],
  freeBytes: number = freeMemoryBytes(),
): void {
  const clients = cells.flatMap(({ benchmark, variant }) =>
    benchmark.model === "clients-memory" ? [variant.clients ?? 1] : [],
  );
  const most = Math.max(0, ...clients);
  for (const { transport } of arms) {
    const { rendezvous, maxClients } = transport.capabilities;
    if (rendezvous === "process") continue;
    const isChild = rendezvous === "parent";
    const needed = isChild ? most * CHILD_BYTES : Math.min(most, maxClients) * CLIENT_BYTES;
    if (needed <= freeBytes) continue;
    const each = isChild ? "a child for each" : "one server";
    throw new MachineError(
      `clients-memory needs up to ${bytes(needed)} for ${most} clients of ${transport.id} (${each}); ` +
        `${bytes(freeBytes)} are free: end other programs, or name other --transport`,
    );
  }
}

/** Returns the memory that new processes can use without swapping, within the limit of the control group, bytes. */
function freeMemoryBytes(): number {
  let available = freemem();
  try {
    const found = /^MemAvailable:\s*(\d+)/m.exec(readFileSync("/proc/meminfo", "latin1"))?.[1];
    if (found !== undefined) available = 1024 * Number(found);
  } catch {
    // Systems without it have the free memory alone.
  }
  return Math.min(available, cgroupLimits()?.memoryBytes ?? available);
}
