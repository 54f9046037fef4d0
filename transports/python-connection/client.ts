import type { NetConnectOpts, Socket } from "node:net";
import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler, OpenOptions } from "../contract/transport.ts";
import { checkOptions } from "../support/opening.ts";
import { dial } from "../support/stream-client.ts";
import { StreamConnection } from "../support/stream-connection.ts";
import { Admission } from "./admission.ts";
import { refuseEmptyKey, startsWithChallenge } from "./handshake.ts";
import { PYTHON_PREFIX } from "./prefix.ts";
import type { ProtocolSettings } from "./protocol.ts";

const PREFIX_BYTES = 4;

/**
 * Connects to a listener of `multiprocessing.connection`.
 *
 * @throws IpcError IPC_PEER_LOST, IPC_AUTH_FAILED, IPC_ABORTED, IPC_TIMEOUT, IPC_SYSTEM. Without a key nobody can tell
 *   at once that the server wants one: then the connection opens and `onClose` follows with IPC_AUTH_FAILED.
 */
export async function connectPython(
  settings: ProtocolSettings,
  target: NetConnectOpts,
  handler: ConnectionHandler,
  options: OpenOptions | undefined,
): Promise<Connection> {
  const { transport, maxMessageBytes } = settings;
  checkOptions(transport, options?.signal && { signal: options.signal });
  refuseEmptyKey(transport, options?.key);
  const key = options?.key;
  let feed: (chunk: Uint8Array, end: number) => void = () => undefined;
  const open = (socket: Socket, rest: Uint8Array): Connection => {
    const connection = new StreamConnection({
      transport,
      maxMessageBytes,
      handler,
      input: socket,
      output: socket,
      reads: "feed",
      format: PYTHON_PREFIX,
    });
    const direct = (chunk: Uint8Array, end: number): void => connection.feed(chunk, end);
    feed = key === undefined ? firstChunk(socket, direct) : direct;
    connection.open();
    if (rest.length > 0) feed(rest, rest.length);
    return connection;
  };
  /** Looks at the first bytes only: a challenge where no key was given is no message of the application. */
  const firstChunk =
    (socket: Socket, next: typeof feed): typeof feed =>
    (chunk, end) => {
      feed = next;
      if (startsWithChallenge(chunk.subarray(PREFIX_BYTES, end))) socket.destroy(keyWanted(transport));
      else next(chunk, end);
    };
  return dial<Connection>({
    transport,
    target,
    options,
    limitMs: settings.handshakeTimeoutMs + 2000,
    onRead(end, buffer) {
      feed(buffer, end);
      return true;
    },
    onConnect(socket, opened) {
      if (key === undefined) {
        opened.resolve(open(socket, new Uint8Array(0)));
        return;
      }
      const { handshakeTimeoutMs: limitMs, allowLegacy } = settings;
      const admission = new Admission(socket, {
        transport,
        role: "client",
        key,
        allowLegacy,
        limitMs,
        onDone: (rest) => opened.resolve(open(socket, rest)),
        onFailed: opened.reject,
      });
      feed = (chunk, end) => admission.feed(chunk, end);
    },
  });
}

function keyWanted(transport: string): IpcError {
  return new IpcError("IPC_AUTH_FAILED", `${transport}: the server wants a key; give it in the options`, { transport });
}
