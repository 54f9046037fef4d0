import { writeSync } from "node:fs";
import type { Address, Connection, Transport } from "../../contract/transport.ts";

/**
 * A server process for tests of event faces: echoes every message, pauses while a client does not read.
 * Arguments as of blocking-echo-server.ts. Ends when stdin ends, or in an orderly way when a client says `quit`.
 */
const [modulePath, exportName, addressJson] = process.argv.slice(2) as [string, string, string];
const transport = ((await import(modulePath)) as Record<string, Transport>)[exportName];
if (transport?.event === undefined) throw new Error(`${modulePath} exports no event face ${exportName}`);

const held = new Map<Connection, Uint8Array>();
const server = await transport.event.listen(JSON.parse(addressJson) as Address, {
  onOpen() {},
  onMessage(message, connection) {
    if (message.length === 4 && Buffer.from(message).toString() === "quit") void end();
    else if (!connection.send(message)) {
      held.set(connection, message.slice());
      connection.pause();
    }
  },
  onWritable(connection) {
    const message = held.get(connection);
    if (message === undefined || !connection.send(message)) return;
    held.delete(connection);
    connection.resume();
  },
  onClose: (connection) => void held.delete(connection),
});

async function end(): Promise<void> {
  await server.close();
  process.exit(0);
}
process.stdin.on("end", () => process.exit(0)).resume();
writeSync(1, "listening\n");
