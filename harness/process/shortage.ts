import { readdirSync, readFileSync } from "node:fs";
import { IpcError } from "../../transports/contract/errors.ts";
import { REMEDIES, type Resource } from "../../transports/contract/shortage.ts";

/** Maximum of descriptors that a server may hold per client: a socket, a segment, or a pipe for each direction. */
const DESCRIPTORS_PER_CLIENT = 3;

/** Returns how many descriptors a process may still open; Infinity where the system does not show it. */
export function descriptorsLeft(pid: number): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "latin1"))?.[1];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    return Number(limit) - readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Returns the shortage that explains why a server lost clients; undefined if it had enough descriptors for all. This is
 * needed because libuv accepts and hangs up if a process has no descriptor left, so that neither end gets that error.
 *
 * @param left descriptors that the server could still open before the clients came
 */
export function descriptorShortage(left: number, clients: number): IpcError | undefined {
  if (left >= DESCRIPTORS_PER_CLIENT * clients) return undefined;
  const found = `its server could open ${left} more descriptors, too few for ${clients} clients`;
  return new IpcError("IPC_SHORTAGE", `${found}: ${REMEDIES.descriptors}`, { errno: "EMFILE" });
}

/** Returns the resource that Node lacked when it aborted at its start, found in its output: it reports no error. */
export function startShortageIn(stderr: string): Resource | undefined {
  if (/pthread_create|uv_thread_create/.test(stderr)) return "processes";
  return /Assertion failed:.*uv_loop_init/.test(stderr) ? "descriptors" : undefined;
}
