import { type NetConnectOpts, connect as netConnect, type Socket } from "node:net";
import { IpcError, isIpcError, toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler, OpenOptions, RawClient } from "../contract/transport.ts";
import { checkOptions, OPEN_LIMIT_MS, withinLimit } from "./opening.ts";
import { StreamConnection } from "./stream-connection.ts";

/** Bytes that Node itself reads at a time. */
const READ_BYTES = 64 * 1024;

/**
 * Pause between two attempts while the queue is full. It is constant, so that a client that has waited long retries as
 * often as a newcomer.
 */
const QUEUE_PAUSE_MS = 5;

export interface Dialling<T> {
  readonly transport: string;
  readonly target: NetConnectOpts;
  readonly options: OpenOptions | undefined;
  readonly limitMs?: number;
  /** Gets the bytes `[0, end)` of `buffer`, which is reused for all reads; returns false to stop reading. */
  readonly onRead: (end: number, buffer: Uint8Array) => boolean;
  /**
   * Settles `opened`, now or later. Called inside the `connect` event, so that no bytes are missed. From then on, this
   * function must handle the errors of the socket.
   */
  readonly onConnect: (socket: Socket, opened: PromiseWithResolvers<T>) => void;
}

/**
 * Connects a socket. If the queue of a Unix socket's server is full, a blocking connect(2) waits, but a non-blocking
 * one fails with EAGAIN (the queue of a Python `Listener` holds two). So this retries until the limit.
 *
 * @throws IpcError IPC_PEER_LOST, IPC_ABORTED, IPC_TIMEOUT, IPC_SYSTEM, and whatever `onConnect` rejects with.
 */
export async function dial<T>(dialling: Dialling<T>): Promise<T> {
  const { transport, target, options, limitMs = OPEN_LIMIT_MS, onConnect } = dialling;
  const opened = Promise.withResolvers<T>();
  const onread = { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: dialling.onRead };
  let socket: Socket;
  let pause: NodeJS.Timeout | undefined;
  let queueFull: Error | undefined;
  let cancelled = false;
  const attempt = (): void => {
    socket = netConnect({ ...target, allowHalfOpen: true, onread });
    socket.once("error", refused);
    socket.once("connect", () => {
      socket.off("error", refused);
      queueFull = undefined;
      onConnect(socket, opened);
    });
  };
  const refused = (error: Error): void => {
    if (cancelled) return;
    if (isQueueFull(target, error)) {
      queueFull = error;
      pause = setTimeout(attempt, QUEUE_PAUSE_MS);
    } else opened.reject(toIpcError(error, transport));
  };
  const cancel = (): void => {
    cancelled = true;
    clearTimeout(pause);
    socket.on("error", () => undefined);
    socket.destroy();
  };
  attempt();
  try {
    return await withinLimit(transport, options, opened.promise, cancel, limitMs);
  } catch (error) {
    if (queueFull === undefined || !isIpcError(error) || error.code !== "IPC_TIMEOUT") throw error;
    const message = `${transport}: the server's queue of waiting connections was still full after ${limitMs} ms`;
    throw new IpcError("IPC_TIMEOUT", message, { transport, errno: "EAGAIN", cause: queueFull });
  }
}

/** True if the queue of the server is full. For TCP the same error means that this machine has run out of something. */
function isQueueFull(target: NetConnectOpts, error: NodeJS.ErrnoException): boolean {
  return "path" in target && error.code === "EAGAIN";
}

/** Connects a socket that carries length-prefixed messages. */
export async function connectStream(
  transport: string,
  target: NetConnectOpts,
  maxMessageBytes: number,
  handler: ConnectionHandler,
  options: OpenOptions | undefined,
): Promise<Connection> {
  checkOptions(transport, options);
  let connection: StreamConnection | undefined;
  return dial<Connection>({
    transport,
    target,
    options,
    onRead(end, buffer) {
      connection?.feed(buffer, end);
      return true;
    },
    onConnect(socket, opened) {
      connection = new StreamConnection({
        transport,
        maxMessageBytes,
        handler,
        input: socket,
        output: socket,
        reads: "feed",
      });
      connection.open();
      opened.resolve(connection);
    },
  });
}

/** True if somebody accepts connections there, false if nobody does; throws other errors. */
export function isListening(target: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = netConnect(target);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      // A listener that is just ending resets the connection.
      if (["ECONNREFUSED", "ENOENT", "ECONNRESET"].includes(error.code ?? "")) resolve(false);
      // The queue of newcomers is full, so somebody listens.
      else if (error.code === "EAGAIN") resolve(true);
      else reject(error);
    });
  });
}

/** Connects a client that sends bytes without framing. */
export async function connectRawSocket(transport: string, target: NetConnectOpts): Promise<RawClient> {
  const socket = netConnect(target);
  const opened = Promise.withResolvers<void>();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.once("connect", () => opened.resolve());
  socket.on("error", (error) => opened.reject(toIpcError(error, transport)));
  socket.resume();
  await withinLimit(transport, undefined, opened.promise, () => socket.destroy());
  return rawClientOf(transport, socket, closed);
}

export function rawClientOf(transport: string, socket: Socket, closed: Promise<void>): RawClient {
  return {
    closed,
    write(bytes) {
      return new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(toIpcError(error, transport)) : resolve()));
      });
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await closed;
    },
  };
}
