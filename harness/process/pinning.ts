import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import type { Placement } from "../results/model.ts";
import { allowedCpuList, allowedCpus } from "./cpus.ts";
import type { PinPrefix } from "./messages.ts";

/** Where the two ends of a placement run: CPU lists as the kernel writes them. */
export interface PlacementCpus {
  readonly driver: string;
  readonly peer: string;
  readonly driverPin: PinPrefix;
  readonly peerPin: PinPrefix;
  /** For processes that get ready before their turn and are moved to their CPU for it, see {@link movePinned}: all CPUs of a pinned run. */
  readonly readyPin: PinPrefix;
}

const execute = promisify(execFile);
const MOVE_TIMEOUT_MS = 5000;

/**
 * Puts all threads of a process that runs on a CPU; those they start later inherit it.
 *
 * @throws Error when the process is gone or the system refuses
 */
export async function movePinned(pid: number, cpus: string): Promise<void> {
  await execute("taskset", ["-a", "-c", "-p", cpus, String(pid)], { timeout: MOVE_TIMEOUT_MS });
}

/**
 * Decides the CPUs of a placement, or says why it cannot be had.
 *
 * A process is pinned by `taskset`, which sets the mask of every thread: either it becomes the process, whose threads then inherit it,
 * or it is told the process (`-a`). A mask set from inside would leave the garbage collector and the I/O threads loose.
 */
export function placementCpus(placement: Placement): PlacementCpus | { readonly reason: string } {
  const cpus = allowedCpus();
  const all = allowedCpuList() ?? "unknown";
  if (placement === "unpinned") return { driver: all, peer: all, driverPin: [], peerPin: [], readyPin: [] };
  const first = cpus?.[0];
  if (cpus === null || first === undefined) return { reason: NEEDED };
  const obstacle = obstacleToPinning(first);
  if (obstacle !== undefined) return { reason: obstacle };
  const second = placement === "same-cpu" ? first : cpus[1];
  if (second === undefined) return { reason: "this process may use one CPU only" };
  const pin = (list: number | string): PinPrefix => ["taskset", "-c", String(list)];
  const readyPin = pin(cpus.slice(0, 2).join(","));
  return { driver: String(first), peer: String(second), driverPin: pin(first), peerPin: pin(second), readyPin };
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
