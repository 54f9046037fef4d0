/**
 * A server process for the mechanisms' own tests: `echo-server.ts <module> <export> <address as JSON>`.
 * Prints one JSON line with its address when it listens, echoes every message, ends in an orderly way when stdin ends.
 */
import { pathToFileURL } from "node:url";
import type { Address, Connection, ConnectionHandler, Transport } from "../../contract/transport.ts";

const [modulePath, exportName, addressText] = process.argv.slice(2) as [string, string, string];
const module = (await import(pathToFileURL(modulePath).href)) as Record<string, Transport>;
const transport = module[exportName] as Transport;

/** What could not be sent yet; the connection is paused meanwhile, so it is one message, at most two. */
const waiting = new Map<Connection, Uint8Array[]>();

const handler: ConnectionHandler = {
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

const server = await transport.event?.listen(JSON.parse(addressText) as Address, handler);
process.stdout.write(`${JSON.stringify(server?.address)}\n`);
process.stdin.resume();
process.stdin.once("end", () => void server?.close());
