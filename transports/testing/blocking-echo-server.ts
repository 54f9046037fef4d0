import { writeSync } from "node:fs";
import type { Address, Transport } from "../contract/transport.ts";

/**
 * A server process for tests of blocking faces: echoes every message.
 * Arguments: module, name of its export, address as JSON. Prints `listening`, ends when its parent is gone.
 */
const [modulePath, exportName, addressJson] = process.argv.slice(2) as [string, string, string];
const transport = ((await import(modulePath)) as Record<string, Transport>)[exportName];
if (transport?.blocking === undefined) throw new Error(`${modulePath} exports no blocking ${exportName}`);

const into = new Uint8Array(transport.capabilities.maxMessageBytes);
const views = new Map<number, Uint8Array>();
function firstBytes(length: number): Uint8Array {
  let view = views.get(length);
  if (view === undefined) {
    view = into.subarray(0, length);
    views.set(length, view);
  }
  return view;
}

const parent = process.ppid;
const server = transport.blocking.listen(JSON.parse(addressJson) as Address);
writeSync(1, "listening\n");
while (process.ppid === parent) {
  const length = server.receive(into, 100);
  if (length < 0) continue;
  const message = firstBytes(length);
  // "quit" ends the server in an orderly way.
  if (length === 4 && Buffer.from(message).toString() === "quit") break;
  const { from } = server;
  try {
    while (from !== undefined && !from.send(message, 100)) if (process.ppid !== parent) break;
  } catch {
    // The client is gone, and the server forgets it by itself.
  }
}
server[Symbol.dispose]();
