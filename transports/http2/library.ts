import type * as Http2 from "node:http2";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Availability } from "../contract/transport.ts";

export const MAX_BYTES: number = UNBOUNDED_MESSAGE_BYTES;
/** Streams that one session may have open, as common servers allow. */
export const MAX_STREAMS = 100;
/**
 * Memory of a session in units of 1,000,000 bytes. The default, 10, resets streams when large messages wait to be sent.
 */
const MAX_SESSION_MEMORY = 1000;
/** Window of one stream, bytes. A sender waits for the reader after so many; the default, 65,535, is below 64 KiB. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
/** Window of a session, bytes: for all of its streams together. */
const SESSION_WINDOW_BYTES = 4 * STREAM_WINDOW_BYTES;
/** Largest list of headers of one request, bytes. A stream with more is refused, and its session ends. */
const MAX_HEADER_BYTES = 16 * 1024;

/** Loaded at first use, since loading takes several milliseconds. @throws Error in a Node without crypto */
export function http2(): typeof Http2 {
  return process.getBuiltinModule("node:http2");
}

export const SESSION_OPTIONS: Http2.SessionOptions = {
  maxSessionMemory: MAX_SESSION_MEMORY,
  peerMaxConcurrentStreams: MAX_STREAMS,
  settings: {
    initialWindowSize: STREAM_WINDOW_BYTES,
    maxConcurrentStreams: MAX_STREAMS,
    maxHeaderListSize: MAX_HEADER_BYTES,
  },
};

/** Settings of a client: nothing is ever pushed to it. */
export const CLIENT_OPTIONS: Http2.SessionOptions = {
  ...SESSION_OPTIONS,
  settings: { ...SESSION_OPTIONS.settings, enablePush: false },
};

/** On Node 22.23 and 24.21 a session with a wider window stands still after some messages that overlap. */
const CAN_WIDEN = Number.parseInt(process.versions.node, 10) >= 26;

/** Widens the window of a session where Node can: it begins with 65,535 bytes, and no setting changes that. */
export function widenWindow(session: Http2.Http2Session): void {
  if (CAN_WIDEN && !session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
}

/** Converts an error of a session or stream. `ERR_HTTP2_ERROR` means that the bytes received are no HTTP/2. */
export function http2Error(transport: string, error: NodeJS.ErrnoException): IpcError {
  if (error.code !== "ERR_HTTP2_ERROR") return toIpcError(error, transport, "IPC_PEER_LOST");
  return new IpcError("IPC_MALFORMED", `${transport}: ${error.message}`, {
    transport,
    errno: error.code,
    cause: error,
  });
}

/** Probes the library of Node itself. */
export async function probeHttp2(): Promise<Availability> {
  try {
    http2();
  } catch (error) {
    return { available: false, reason: `this Node has no http2 (${(error as Error).message}); install another Node` };
  }
  const { node, nghttp2 } = process.versions;
  return { available: true, version: `node ${node}, nghttp2 ${nghttp2}` };
}
