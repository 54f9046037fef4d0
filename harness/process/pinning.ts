import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Placement } from "../results/model.ts";
import type { PinPrefix } from "./messages.ts";

/** Where the two ends of a placement run: CPU lists as the kernel writes them. */
export interface PlacementCpus {
  readonly driver: string;
  readonly peer: string;
  readonly driverPin: PinPrefix;
  readonly peerPin: PinPrefix;
}

/** CPUs the calling process may use, such as `[0, 1]`; null where the system does not say. */
export function allowedCpus(): readonly number[] | null {
  const list = allowedCpuList();
  return list === null ? null : parseCpuList(list);
}

/** The same as the kernel writes it (`0-1,4`); read back to record what pinning achieved. */
export function allowedCpuList(): string | null {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? null;
  } catch {
    return null;
  }
}

export function parseCpuList(list: string): number[] {
  const cpus: number[] = [];
  for (const part of list.split(",")) {
    const [first, last = first] = part.split("-").map(Number);
    if (first === undefined || last === undefined || Number.isNaN(first) || Number.isNaN(last)) continue;
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

/**
 * Decides the CPUs of a placement, or says why it cannot be had.
 *
 * A process is pinned by starting it through `taskset`, which sets the mask and then becomes the process: every thread
 * inherits it, while a mask set from inside would leave the garbage collector and the I/O threads loose.
 */
export function placementCpus(placement: Placement): PlacementCpus | { readonly reason: string } {
  const cpus = allowedCpus();
  const all = allowedCpuList() ?? "unknown";
  if (placement === "unpinned") return { driver: all, peer: all, driverPin: [], peerPin: [] };
  const first = cpus?.[0];
  if (cpus === null || first === undefined) return { reason: NEEDED };
  const obstacle = obstacleToPinning(first);
  if (obstacle !== undefined) return { reason: obstacle };
  const second = placement === "same-cpu" ? first : cpus[1];
  if (second === undefined) return { reason: "this process may use one CPU only" };
  const pin = (cpu: number): PinPrefix => ["taskset", "-c", String(cpu)];
  return { driver: String(first), peer: String(second), driverPin: pin(first), peerPin: pin(second) };
}

const NEEDED = "pinning needs Linux and the taskset program (package util-linux)";
let found: { readonly obstacle: string | undefined } | undefined;

/** Why no process can be pinned here; undefined when one can. Tried once: a container may have the program and forbid the call. */
function obstacleToPinning(cpu: number): string | undefined {
  found ??= { obstacle: tryPinning(cpu) };
  return found.obstacle;
}

function tryPinning(cpu: number): string | undefined {
  try {
    execFileSync("taskset", ["-c", String(cpu), "true"], { stdio: ["ignore", "ignore", "pipe"], timeout: 5000 });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: Buffer };
    if (code === "ENOENT") return NEEDED;
    const said = stderr?.toString().trim().split("\n").at(-1);
    return `this machine does not let processes be pinned${said ? ` (${said})` : ""}; use --placement unpinned`;
  }
}
