import type * as Zeromq from "zeromq";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import type { Availability } from "../contract/transport.ts";

export type Library = typeof Zeromq;

/**
 * Messages a ZeroMQ pipe holds in each direction before it pushes back. The unit is messages, not bytes. A higher
 * number would take too much memory for messages of 1 MiB, and 64 is enough to keep a pipeline busy.
 */
const HIGH_WATER_MARK = 64;
/** Interval of reconnects, ms: the wait of a client after a restart (the library's default: 100). */
const RECONNECT_MS = 20;
/** Longest handshake, ms; after it a silent connection is dropped (the library's default: 30,000). */
const HANDSHAKE_MS = 5000;
const MAX_SOCKETS = 16_384;

let loading: Promise<Library> | undefined;
let context: Zeromq.Context | undefined;

export function loadLibrary(): Promise<Library> {
  loading ??= import("zeromq");
  return loading;
}

/** Returns the options of all sockets, with a context of our own, so that the application's global one stays as is. */
export function commonOptions(library: Library): {
  context: Zeromq.Context;
  linger: number;
  maxMessageSize: number;
  handshakeInterval: number;
} {
  // Not blocky: then linger defaults to 0, and undelivered messages cannot delay the exit of the process for ever.
  context ??= new library.Context({ blocky: false, maxSockets: MAX_SOCKETS });
  return { context, linger: 0, maxMessageSize: UNBOUNDED_MESSAGE_BYTES, handshakeInterval: HANDSHAKE_MS };
}

export const highWaterMarks: { readonly sendHighWaterMark: number; readonly receiveHighWaterMark: number } = {
  sendHighWaterMark: HIGH_WATER_MARK,
  receiveHighWaterMark: HIGH_WATER_MARK,
};

export const reconnect: { readonly reconnectInterval: number; readonly reconnectMaxInterval: number } = {
  reconnectInterval: RECONNECT_MS,
  reconnectMaxInterval: 5 * RECONNECT_MS,
};

export async function probeLibrary(): Promise<Availability> {
  try {
    const library = await loadLibrary();
    return library.capability.ipc || process.platform === "win32"
      ? { available: true, version: `libzmq ${library.version}` }
      : { available: false, reason: "zeromq: this build of libzmq has no ipc:// transport" };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    return { available: false, reason: `zeromq does not load (${why}); run: npm install zeromq@6` };
  }
}
