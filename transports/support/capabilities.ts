import { type Capabilities, UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";

/** Packages of mechanisms that use the POSIX wrapper. koffi is its preferred binding (`posix/binding.ts`). */
export const NEEDS_POSIX_BINDING: Pick<Capabilities, "packages" | "native"> = { packages: ["koffi"], native: true };

/** Capabilities of `unix`. */
const UNIX_STREAM: Capabilities = {
  modes: ["event"],
  patterns: ["request-reply", "one-way"],
  rendezvous: "address",
  boundaries: "prefix",
  delivery: "reliable",
  ordering: "fifo",
  maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
  maxClients: 1024,
  maxInFlight: 1024,
  connects: "checked",
  backpressure: "native",
  peerLoss: "immediate",
  auth: ["permissions"],
  persistent: false,
  platforms: ["linux", "darwin"],
  languages: ["any"],
  packages: [],
  native: false,
};

/** Returns the capabilities of a queue in the kernel or in shared memory, between processes of one Linux machine. */
export function localQueueCapabilities(
  limits: Pick<Capabilities, "modes" | "boundaries" | "maxMessageBytes" | "maxClients" | "maxInFlight">,
): Capabilities {
  return {
    ...UNIX_STREAM,
    peerLoss: "heartbeat",
    platforms: ["linux"],
    languages: ["c", "python"],
    ...NEEDS_POSIX_BINDING,
    ...limits,
  };
}

/** Returns the capabilities of a connection over an event loop: those of a Unix stream socket, with `changes`. */
export function streamCapabilities(changes: Partial<Capabilities>): Capabilities {
  return { ...UNIX_STREAM, ...changes };
}
