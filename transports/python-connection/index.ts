/**
 * Connects Node to Python's `multiprocessing.connection`, without anything else of ipcmark:
 *
 *     import { connect } from "ipcmark/python-connection";
 *     const connection = await connect("/tmp/demo.sock", { key: Buffer.from("secret") });
 *     await connection.sendBytes(Buffer.from("hello"));
 *     const reply = await connection.receiveBytes({ timeoutMs: 1000 });
 *
 * Only for bytes. Python's `send()` makes a pickle, which is never decoded here: `receiveBytes` rejects with
 * IPC_MALFORMED.
 *
 * @experimental names and types may change in any version
 * @module
 */
import { createServer, type NetConnectOpts, type Server as NetServer } from "node:net";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { type IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, ConnectionHandler, Server } from "../contract/transport.ts";
import { unlessAborted } from "../support/opening.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { listenAtPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { HANDSHAKE_LIMIT_MS } from "./admission.ts";
import { PythonConnection } from "./bytes-connection.ts";
import { connectPython } from "./client.ts";
import { checkListen, type ProtocolSettings, servePython } from "./protocol.ts";

export { IpcError, type IpcErrorCode } from "../contract/errors.ts";
export { PythonConnection, type ReceiveOptions } from "./bytes-connection.ts";

const NAME = "python-connection";

/** Path (AF_UNIX; on Linux a path that begins with a zero character is abstract), or port (AF_INET). */
export type PythonAddress = string | { readonly port: number; readonly host?: string };

export interface PythonOptions {
  /** Key, like Python's `authkey`. */
  readonly key?: Uint8Array;
  /** Longest message, both ways; default 64 MiB. A longer one ends the connection before memory is taken for it. */
  readonly maxMessageBytes?: number;
  /** Longest time for the proof of the key; default 3000. */
  readonly handshakeTimeoutMs?: number;
  /** True (default): accept the HMAC-MD5 responses of Python 3.11 and earlier. */
  readonly allowLegacy?: boolean;
  /** Ends a pending opening; does not close an open connection. */
  readonly signal?: AbortSignal;
}

export interface ListenOptions extends PythonOptions {
  /** Called for a newcomer that did not prove the key. */
  readonly onRefused?: (error: IpcError) => void;
}

/**
 * Connects, like `Client(address, authkey=key)`.
 *
 * @throws IpcError IPC_PEER_LOST, IPC_AUTH_FAILED, IPC_ABORTED, IPC_TIMEOUT, IPC_SYSTEM
 */
export async function connect(address: PythonAddress, options: PythonOptions = {}): Promise<PythonConnection> {
  const connection = new PythonConnection(NAME);
  const target: NetConnectOpts =
    typeof address === "string" ? { path: address } : { host: "127.0.0.1", ...address, noDelay: true };
  if (typeof address === "string" && !isAbstract(address)) checkSocketPath(address, NAME);
  await connectPython(settingsOf(options), target, connection.handler, options);
  return connection;
}

/**
 * Listens, like `Listener(address, authkey=key)`, and accepts all the time: `onConnection` gets each admitted client. A
 * path gets mode 0600; a stale path is taken over. For port 0 the result contains the port that the system chose.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE, IPC_ABORTED, IPC_AUTH_FAILED (empty key), IPC_SYSTEM
 */
export async function listen(
  address: PythonAddress,
  onConnection: (connection: PythonConnection) => void,
  options: ListenOptions = {},
): Promise<Server> {
  checkListen(NAME, options);
  const begin = (): Promise<Server> => open(address, onConnection, options);
  try {
    if (typeof address !== "string" || isAbstract(address)) return await begin();
    return await listenAtPath(address, NAME, begin);
  } catch (error) {
    throw toIpcError(error, NAME);
  }
}

async function open(
  address: PythonAddress,
  onConnection: (connection: PythonConnection) => void,
  options: ListenOptions,
): Promise<Server> {
  const listener = createServer({ allowHalfOpen: true, noDelay: true });
  const name = await bind(listener, address);
  const bound: Address = { transport: NAME, name };
  const handler = handOut(onConnection);
  return unlessAborted(
    NAME,
    options,
    servePython(settingsOf(options), bound, listener, handler, options, options.onRefused),
  );
}

async function bind(listener: NetServer, address: PythonAddress): Promise<string> {
  if (typeof address === "string" && !isAbstract(address)) {
    await listenPrivately(listener, address);
    return address;
  }
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(typeof address === "string" ? { path: address } : { host: "127.0.0.1", ...address }, resolve);
  });
  const bound = listener.address();
  if (typeof address === "string" || bound === null || typeof bound === "string") return String(address);
  return `${bound.address}:${bound.port}`;
}

/** Makes one handler for all connections, which passes each message to the object of its connection. */
function handOut(onConnection: (connection: PythonConnection) => void): ConnectionHandler {
  const handlers = new WeakMap<object, ConnectionHandler>();
  return {
    onOpen(connection) {
      const one = new PythonConnection(NAME, onConnection);
      handlers.set(connection, one.handler);
      one.handler.onOpen(connection);
    },
    onMessage: (message, connection) => handlers.get(connection)?.onMessage(message, connection),
    onWritable: (connection) => handlers.get(connection)?.onWritable(connection),
    onClose: (connection, error) => handlers.get(connection)?.onClose(connection, error),
  };
}

function isAbstract(path: string): boolean {
  return path.startsWith("\0");
}

function settingsOf(options: PythonOptions): ProtocolSettings {
  return {
    transport: NAME,
    maxMessageBytes: options.maxMessageBytes ?? UNBOUNDED_MESSAGE_BYTES,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_LIMIT_MS,
    allowLegacy: options.allowLegacy ?? true,
  };
}
