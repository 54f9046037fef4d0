import type { Capabilities } from "../contract/capabilities.ts";
import type { Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { pathTransport } from "../support/path-transport.ts";
import { connectStreaming, connectUnary, MAX_CALLS } from "./client.ts";
import { listen } from "./server.ts";
import { MAX_BYTES, probeLibrary } from "./service.ts";

const COMMON: Capabilities = streamCapabilities({
  patterns: ["request-reply"],
  boundaries: "library",
  maxMessageBytes: MAX_BYTES,
  packages: ["@grpc/grpc-js"],
});

/** Python programs of the two ends; the scripts find the interpreter that has grpcio. */
const PEERS = { python: ["python3", "peer.py", "--needs", "grpc"] } as const;
const CLIENTS = { python: ["python3", "client.py", "--needs", "grpc"] } as const;

function define(id: string, capabilities: Partial<Capabilities>, connect: typeof connectUnary): Transport {
  return pathTransport({
    id,
    peers: PEERS,
    clients: CLIENTS,
    stem: "grpc",
    capabilities: { ...COMMON, ...capabilities },
    probe: probeLibrary,
    event: {
      listen: (address, handler, options) => listen(id, address, handler, options),
      connect: (address, handler, options) => connect(id, address, handler, options),
    },
  });
}

/** One call for each message: an HTTP/2 stream is opened, used once and closed. */
export const grpcUnary: Transport = define(
  "grpc/unary",
  // Calls run side by side, and the library does not promise their order of arrival.
  { maxInFlight: MAX_CALLS, ordering: "none", backpressure: "outbox" },
  connectUnary,
);

/** One bidirectional streaming call for the life of the connection. */
export const grpcStream: Transport = define(
  "grpc/stream",
  { patterns: ["request-reply", "one-way"] },
  connectStreaming,
);
