import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { setAffinity } from "../../transports/posix/affinity.ts";
import { posixAvailability } from "../../transports/posix/index.ts";
import { programFailure } from "../../transports/support/program-failure.ts";
import type { Placement } from "../results/model.ts";
import { allowedCpuList, allowedCpus, parseCpuList } from "./cpus.ts";
import type { PinPrefix } from "./messages.ts";

/** CPUs of the two ends of a placement, as lists in the notation of the kernel. */
export interface PlacementCpus {
  readonly driver: string;
  readonly peer: string;
  readonly driverPin: PinPrefix;
  readonly peerPin: PinPrefix;
  /**
   * Prefix for processes that get ready before their turn and are moved to their CPU for it (see {@link movePinned}):
   * all CPUs of a pinned run. Empty if they start on those anyway.
   */
  readonly readyPin: PinPrefix;
}

/**
 * Moves all threads of a running process to these CPUs; threads started later inherit them.
 *
 * Uses system calls, because two runs of `taskset -a -p` per trial would cost more than all other steps of the move.
 * Without a binding to the C library it runs `taskset` all the same.
 *
 * @throws Error when the process is gone or the system refuses
 */
export function movePinned(pid: number, cpus: string): void {
  if (!posixAvailability().available) {
    execFileSync("taskset", ["-a", "-c", "-p", cpus, String(pid)], { stdio: "ignore", timeout: PROBE_MS });
    return;
  }
  const list = parseCpuList(cpus);
  const moved = new Set<string>();
  // A thread that is not moved yet may start another one, so this repeats until it finds no new thread.
  for (let found = true; found; ) {
    found = false;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      if (moved.has(thread)) continue;
      moved.add(thread);
      found = true;
      moveThread(Number(thread), list);
    }
  }
}

function moveThread(thread: number, cpus: readonly number[]): void {
  try {
    setAffinity(cpus, thread);
  } catch (error) {
    // The thread has ended since it was listed.
    if ((error as { readonly errno?: string }).errno !== "ESRCH") throw error;
  }
}

/**
 * Chooses the CPUs of a placement, or returns the reason why the placement is not possible.
 *
 * A process is pinned by `taskset`, which becomes the process, so that all its threads inherit the mask; or from
 * outside, thread by thread. A mask set from inside would not affect the garbage collector and the I/O threads.
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
  const readyPin = cpus.length <= 2 ? [] : pin(cpus.slice(0, 2).join(","));
  return { driver: String(first), peer: String(second), driverPin: pin(first), peerPin: pin(second), readyPin };
}

const PROBE_MS = 5000;
const NEEDED = "pinning needs Linux and the taskset program (package util-linux)";
let found: { readonly obstacle: string | undefined } | undefined;

/** Returns why no process can be pinned; undefined if one can. It tries this: a container may forbid the call. */
function obstacleToPinning(cpu: number): string | undefined {
  found ??= { obstacle: tryPinning(cpu) };
  return found.obstacle;
}

function tryPinning(cpu: number): string | undefined {
  try {
    execFileSync("taskset", ["-c", String(cpu), "true"], { stdio: ["ignore", "ignore", "pipe"], timeout: PROBE_MS });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: Buffer };
    if (code === "ENOENT") return NEEDED;
    if (code === "ETIMEDOUT") return programFailure("taskset", error, PROBE_MS);
    const said = stderr?.toString().trim().split("\n").at(-1);
    return `this machine does not let processes be pinned${said ? ` (${said})` : ""}; use --placement unpinned`;
  }
}
