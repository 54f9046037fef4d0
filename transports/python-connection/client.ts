import type { NetConnectOpts, Socket } from "node:net";
import { IpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler, OpenOptions } from "../contract/transport.ts";
import { checkOptions } from "../support/opening.ts";
import { dial } from "../support/stream-client.ts";
import { StreamConnection } from "../support/stream-connection.ts";
import { Admission } from "./admission.ts";
import { ChallengeWatch } from "./challenge-watch.ts";
import { refuseEmptyKey } from "./handshake.ts";
import { PYTHON_PREFIX } from "./prefix.ts";
import type { ProtocolSettings } from "./protocol.ts";

/**
 * Connects to a listener of `multiprocessing.connection`.
 *
 * @throws IpcError IPC_PEER_LOST, IPC_AUTH_FAILED, IPC_ABORTED, IPC_TIMEOUT, IPC_SYSTEM. If no key is given and the
 *   server wants one, the connection opens, and then `onClose` gets IPC_AUTH_FAILED.
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
    feed = key === undefined ? watched(socket, direct) : direct;
    connection.open();
    if (rest.length > 0) feed(rest, rest.length);
    return connection;
  };
  /** Checks only the first message: without a key, a challenge is not a message of the application. */
  const watched = (socket: Socket, next: typeof feed): typeof feed => {
    const watch = new ChallengeWatch();
    return (chunk, end) => {
      const isChallenge = watch.sees(chunk, end);
      if (isChallenge) {
        socket.destroy(keyWanted(transport));
        return;
      }
      if (isChallenge === false) feed = next;
      next(chunk, end);
    };
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
