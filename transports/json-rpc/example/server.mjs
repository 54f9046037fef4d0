// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// JSON-RPC 2.0 server on its standard streams. The client starts it (see client.mjs), so there is no address, no
// permission to set and nothing to clean up: the pipes belong to these two processes and end with them.
import { Console } from "node:console";
import { once } from "node:events";
import { readLines, write } from "./lines.mjs";

// Standard output carries messages. Whatever else prints there, such as console.log of a library, would break the
// framing: now it prints to standard error.
globalThis.console = new Console(process.stderr);

const methods = new Map([["shout", ({ text }) => String(text).toUpperCase()]]);

/** Returns the response to one line, with the error codes of the specification; undefined for a notification. */
async function respond(line) {
  let request;
  try {
    request = JSON.parse(line);
  } catch {
    return { id: null, error: { code: -32700, message: "no JSON" } };
  }
  const { id, method, params = {} } = request ?? {};
  if (typeof method !== "string") return { id: id ?? null, error: { code: -32600, message: "no request" } };
  try {
    const handle = methods.get(method);
    if (handle === undefined) throw Object.assign(new Error(`no method ${method}`), { rpcCode: -32601 });
    const result = await handle(params);
    return id === undefined ? undefined : { id, result };
  } catch (error) {
    return id === undefined ? undefined : { id, error: { code: error.rpcCode ?? -32603, message: error.message } };
  }
}

process.stdout.on("error", () => process.exit(1)); // the client is gone: there is nobody to answer
process.on("SIGINT", () => {}); // Ctrl-C reaches both processes; the client decides when this one ends

try {
  // One request after the other. Ends with the client, however it ends: then the kernel closes the pipe.
  for await (const line of readLines(process.stdin)) {
    const response = await respond(line);
    if (response !== undefined && !write(process.stdout, response)) await once(process.stdout, "drain");
  }
} catch (error) {
  process.stderr.write(`the server ends: ${error.message}\n`);
  process.exitCode = 1;
}
