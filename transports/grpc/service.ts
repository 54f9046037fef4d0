import type * as Grpc from "@grpc/grpc-js";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, type IpcErrorCode } from "../contract/errors.ts";
import type { Availability } from "../contract/transport.ts";
import { installedVersion } from "../support/path-transport.ts";

export type Library = typeof Grpc;

/** Largest message, bytes. With the library's default of 4 MiB, larger ones would fail at the receiver. */
export const MAX_BYTES: number = UNBOUNDED_MESSAGE_BYTES;

/** Longest time of a timer of Node, ms: 24 days. */
const NEVER_MS = 2 ** 31 - 1;

let loading: Promise<Library> | undefined;

export function loadLibrary(): Promise<Library> {
  loading ??= import("@grpc/grpc-js");
  return loading;
}

const identity = (message: Buffer): Buffer => message;
const bytes = {
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
};

/**
 * The service, for clients in any language. Messages are plain bytes without protobuf, so a generic client with
 * identity serializers suffices. Written by hand: no protoc, no code generation.
 */
export const SERVICE = {
  call: { path: "/ipcmark.Messages/Call", requestStream: false, responseStream: false, ...bytes },
  stream: { path: "/ipcmark.Messages/Stream", requestStream: true, responseStream: true, ...bytes },
} satisfies Grpc.ServiceDefinition;

/**
 * One connection per client (by default, clients of a process share one), no retries (the request may have arrived; the
 * caller decides) and a reconnect after 100 ms (the default waits about a second).
 */
export const CLIENT_OPTIONS: Grpc.ChannelOptions = {
  "grpc.max_receive_message_length": MAX_BYTES,
  "grpc.max_send_message_length": -1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_channelz": 0,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 200,
  "grpc.service_config_disable_resolution": 1,
  // An idle channel would hang up, which looks like the end of the server.
  "grpc.client_idle_timeout_ms": NEVER_MS,
};

export const SERVER_OPTIONS: Grpc.ServerOptions = {
  "grpc.max_receive_message_length": MAX_BYTES,
  "grpc.max_send_message_length": -1,
  "grpc.enable_channelz": 0,
};

/** IPC code for each gRPC status code (grpc.github.io, "Status codes and their use in gRPC"). */
const STATUS_CODES: Readonly<Record<number, IpcErrorCode>> = {
  1: "IPC_ABORTED",
  3: "IPC_MALFORMED",
  4: "IPC_TIMEOUT",
  7: "IPC_AUTH_FAILED",
  8: "IPC_TOO_LARGE",
  12: "IPC_UNKNOWN_METHOD",
  14: "IPC_PEER_LOST",
  16: "IPC_AUTH_FAILED",
};

/** Converts a gRPC status to an error, with the library's code as `errno`, such as `GRPC_14`. */
export function statusError(transport: string, code: number, details: string, cause?: unknown): IpcError {
  const kind = STATUS_CODES[code] ?? "IPC_SYSTEM";
  return new IpcError(kind, `${transport}: ${details || "the call failed"} (gRPC status ${code})`, {
    transport,
    errno: `GRPC_${code}`,
    cause,
  });
}

export async function probeLibrary(): Promise<Availability> {
  if (process.platform === "win32") return { available: false, reason: "gRPC has no unix: addresses on Windows" };
  try {
    await loadLibrary();
    return { available: true, version: `@grpc/grpc-js ${installedVersion("@grpc/grpc-js", import.meta.url)}` };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    return { available: false, reason: `@grpc/grpc-js does not load (${why}); run: npm install @grpc/grpc-js` };
  }
}
