import { readdirSync, readFileSync } from "node:fs";
import { IpcError } from "../../transports/contract/errors.ts";
import { REMEDIES, type Resource } from "../../transports/contract/shortage.ts";

/** A server may hold so many for each client: a socket, a segment, a pipe for each direction. */
const DESCRIPTORS_PER_CLIENT = 3;

/** How many descriptors a process may still open; Infinity where the system does not show it. */
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
 * The shortage that explains why a server lost some of its clients; undefined when it had enough descriptors for all. libuv accepts and
 * hangs up when a process has none left, so neither the server nor the client gets an error that names it.
 *
 * @param left what the server could still open before they came
 */
export function descriptorShortage(left: number, clients: number): IpcError | undefined {
  if (left >= DESCRIPTORS_PER_CLIENT * clients) return undefined;
  const text = `its server could open ${left} more descriptors, too few for ${clients} clients: ${REMEDIES.descriptors}`;
  return new IpcError("IPC_SHORTAGE", text, { errno: "EMFILE" });
}

/** What Node lacked when it aborted while it started, by what it printed: it has no error for this. */
export function startShortageIn(stderr: string): Resource | undefined {
  if (/pthread_create|uv_thread_create/.test(stderr)) return "processes";
  return /Assertion failed:.*uv_loop_init/.test(stderr) ? "descriptors" : undefined;
}
