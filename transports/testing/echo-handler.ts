import type { Connection, ConnectionHandler } from "../contract/transport.ts";

/** Messages that could not be sent yet: at most two, because the connection is paused meanwhile. */
const waiting = new Map<Connection, Uint8Array[]>();

/** Sends every message back; pauses while it cannot. */
export const echoHandler: ConnectionHandler = {
  onOpen() {},
  onMessage(message, connection) {
    const queue = waiting.get(connection);
    if (queue === undefined && connection.send(message)) return;
    connection.pause();
    waiting.set(connection, [...(queue ?? []), Uint8Array.from(message)]);
  },
  onWritable(connection) {
    const queue = waiting.get(connection) ?? [];
    while (queue.length > 0) {
      if (!connection.send(queue[0] as Uint8Array)) return;
      queue.shift();
    }
    waiting.delete(connection);
    connection.resume();
  },
  onClose(connection) {
    waiting.delete(connection);
  },
};
