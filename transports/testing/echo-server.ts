/**
 * A server process for the mechanisms' own tests: `echo-server.ts <module> <export> <address as JSON>`.
 * Prints one JSON line with its address when it listens, echoes every message, ends in order when stdin ends or when a
 * client sends `quit`.
 */
import { pathToFileURL } from "node:url";
import type { Address, Transport } from "../contract/transport.ts";
import { echoHandler } from "./echo-handler.ts";

const [modulePath, exportName, addressText] = process.argv.slice(2) as [string, string, string];
const module = (await import(pathToFileURL(modulePath).href)) as Record<string, Transport>;
const transport = module[exportName] as Transport;

const server = await transport.event?.listen(JSON.parse(addressText) as Address, {
  ...echoHandler,
  onMessage(message, connection) {
    if (message.length !== 4 || Buffer.from(message).toString() !== "quit") echoHandler.onMessage(message, connection);
    else void server?.close().then(() => process.exit(0));
  },
});
process.stdout.write(`${JSON.stringify(server?.address)}\n`);
process.stdin.resume();
process.stdin.once("end", () => void server?.close());
