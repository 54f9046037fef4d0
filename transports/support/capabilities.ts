import { type Capabilities, UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";

/** What `unix` claims. */
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
};

/** The record of a connection over an event loop: only where it differs from a Unix stream socket is worth reading. */
export function streamCapabilities(changes: Partial<Capabilities>): Capabilities {
  return { ...UNIX_STREAM, ...changes };
}
