import { type NetConnectOpts, connect as netConnect } from "node:net";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler, OpenOptions } from "../contract/transport.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { StreamConnection } from "../support/stream-connection.ts";
import { Admission } from "./admission.ts";
import { refuseEmptyKey, startsWithChallenge } from "./handshake.ts";
import { PYTHON_PREFIX } from "./prefix.ts";
import type { ProtocolSettings } from "./protocol.ts";

/** What Node itself reads at a time. */
const READ_BYTES = 64 * 1024;
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
  const opened = Promise.withResolvers<Connection>();
  let feed: (chunk: Uint8Array, end: number) => void = () => undefined;
  const socket = netConnect({
    ...target,
    allowHalfOpen: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback(bytes, buffer) {
        feed(buffer, bytes);
        return true;
      },
    },
  });
  const refused = (error: Error): void => opened.reject(toIpcError(error, transport));
  const open = (rest: Uint8Array): void => {
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
    feed = key === undefined ? firstChunk(direct) : direct;
    connection.open();
    if (rest.length > 0) feed(rest, rest.length);
    opened.resolve(connection);
  };
  /** Looks at the first bytes only: a challenge where no key was given is no message of the application. */
  const firstChunk =
    (next: typeof feed): typeof feed =>
    (chunk, end) => {
      feed = next;
      if (startsWithChallenge(chunk.subarray(PREFIX_BYTES, end))) socket.destroy(keyWanted(transport));
      else next(chunk, end);
    };
  socket.once("error", refused);
  socket.once("connect", () => {
    socket.off("error", refused);
    if (key === undefined) {
      open(new Uint8Array(0));
      return;
    }
    const { handshakeTimeoutMs: limitMs, allowLegacy } = settings;
    const admission = new Admission(socket, {
      transport,
      role: "client",
      key,
      allowLegacy,
      limitMs,
      onDone: open,
      onFailed: opened.reject,
    });
    feed = (chunk, end) => admission.feed(chunk, end);
  });
  const cancel = (): void => {
    socket.on("error", () => undefined);
    socket.destroy();
  };
  return withinLimit(transport, options, opened.promise, cancel, settings.handshakeTimeoutMs + 2000);
}

function keyWanted(transport: string): IpcError {
  return new IpcError("IPC_AUTH_FAILED", `${transport}: the server wants a key; give it in the options`, { transport });
}
