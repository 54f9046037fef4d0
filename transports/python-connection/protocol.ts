import type { Server as NetServer, Socket } from "node:net";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import type { IpcError } from "../contract/errors.ts";
import type { Address, ConnectionHandler, OpenOptions } from "../contract/transport.ts";
import { checkOptions } from "../support/opening.ts";
import { StreamServer } from "../support/stream-server.ts";
import { Admission, HANDSHAKE_LIMIT_MS } from "./admission.ts";
import { refuseEmptyKey } from "./handshake.ts";
import { PYTHON_PREFIX } from "./prefix.ts";

/** Maximum number of clients of a server; it hangs up on further ones. */
export const MAX_CLIENTS = 1024;

export interface ProtocolSettings {
  readonly transport: string;
  readonly maxMessageBytes: number;
  readonly handshakeTimeoutMs: number;
  /** True: accept HMAC-MD5, the only digest of Python 3.11 and earlier. */
  readonly allowLegacy: boolean;
}

/** Reads `maxMessageBytes`, `handshakeTimeoutMs` and `allowLegacy` from the options of an address. */
export function settingsOf(address: Address): ProtocolSettings {
  const { maxMessageBytes, handshakeTimeoutMs, allowLegacy } = address.options ?? {};
  return {
    transport: address.transport,
    maxMessageBytes: typeof maxMessageBytes === "number" ? maxMessageBytes : UNBOUNDED_MESSAGE_BYTES,
    handshakeTimeoutMs: typeof handshakeTimeoutMs === "number" ? handshakeTimeoutMs : HANDSHAKE_LIMIT_MS,
    allowLegacy: allowLegacy !== false,
  };
}

/** @throws IpcError IPC_ABORTED if the signal has fired already, IPC_AUTH_FAILED for an empty key. */
export function checkListen(transport: string, options: OpenOptions | undefined): void {
  checkOptions(transport, options?.signal && { signal: options.signal });
  refuseEmptyKey(transport, options?.key);
}

/** Serves a listening socket. The handshakes of newcomers run side by side, so a stalled one delays nobody. */
export function servePython(
  settings: ProtocolSettings,
  address: Address,
  listener: NetServer,
  handler: ConnectionHandler,
  options: OpenOptions | undefined,
  onRefused: (error: IpcError) => void = () => undefined,
): StreamServer {
  const { transport, maxMessageBytes } = settings;
  const key = options?.key;
  return new StreamServer({
    transport,
    address,
    maxMessageBytes,
    maxClients: MAX_CLIENTS,
    handler,
    listener,
    format: PYTHON_PREFIX,
    ...(key && {
      admit: (socket: Socket, admitted: (rest: Uint8Array) => void) =>
        admitWithKey(settings, key, socket, admitted, onRefused),
    }),
  });
}

function admitWithKey(
  settings: ProtocolSettings,
  key: Uint8Array,
  socket: Socket,
  admitted: (rest: Uint8Array) => void,
  onRefused: (error: IpcError) => void,
): void {
  const { transport, handshakeTimeoutMs: limitMs, allowLegacy } = settings;
  const onData = (chunk: Uint8Array): void => admission.feed(chunk, chunk.length);
  const admission = new Admission(socket, {
    transport,
    role: "server",
    key,
    allowLegacy,
    limitMs,
    onDone: (rest) => {
      socket.off("data", onData);
      admitted(rest);
    },
    onFailed: onRefused,
  });
  socket.on("data", onData);
}
