import { type NetConnectOpts, connect as netConnect, type Socket } from "node:net";
import { toIpcError } from "../contract/errors.ts";
import type { Connection, ConnectionHandler, OpenOptions, Stranger } from "../contract/transport.ts";
import { checkOptions, withinLimit } from "./opening.ts";
import { StreamConnection } from "./stream-connection.ts";

/** What Node itself reads at a time. */
const READ_BYTES = 64 * 1024;

/** Connects a socket that carries length-prefixed messages. One read buffer serves all reads. */
export async function connectStream(
  transport: string,
  target: NetConnectOpts,
  maxMessageBytes: number,
  handler: ConnectionHandler,
  options: OpenOptions | undefined,
): Promise<Connection> {
  checkOptions(transport, options);
  const opened = Promise.withResolvers<Connection>();
  let connection: StreamConnection | undefined;
  const socket = netConnect({
    ...target,
    allowHalfOpen: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback(bytes, buffer) {
        connection?.feed(buffer, bytes);
        return true;
      },
    },
  });
  const refused = (error: Error): void => opened.reject(toIpcError(error, transport));
  socket.once("error", refused);
  socket.once("connect", () => {
    connection = new StreamConnection({
      transport,
      maxMessageBytes,
      handler,
      input: socket,
      output: socket,
      reads: "feed",
    });
    socket.off("error", refused);
    connection.open();
    opened.resolve(connection);
  });
  return withinLimit(transport, options, opened.promise, () => socket.destroy());
}

/** True when somebody accepts connections there, false when nobody does; other errors are thrown. */
export function isListening(target: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = netConnect(target);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      // A full queue of newcomers is a sign of life.
      else if (error.code === "EAGAIN") resolve(true);
      else reject(error);
    });
  });
}

/** A client without framing. */
export async function connectStranger(transport: string, target: NetConnectOpts): Promise<Stranger> {
  const socket = netConnect(target);
  const opened = Promise.withResolvers<void>();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.once("connect", () => opened.resolve());
  socket.on("error", (error) => opened.reject(toIpcError(error, transport)));
  socket.resume();
  await withinLimit(transport, undefined, opened.promise, () => socket.destroy());
  return strangerOf(transport, socket, closed);
}

export function strangerOf(transport: string, socket: Socket, closed: Promise<void>): Stranger {
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
