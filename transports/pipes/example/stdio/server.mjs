// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on its standard streams. The client starts it (see client.mjs), so there is no address, no permission to set
// and nothing to clean up: the pipes belong to these two processes and end with them.
import { Console } from "node:console";
import { once } from "node:events";
import { read, write } from "./frames.mjs";

// Standard output carries messages. Whatever else prints there, such as console.log of a library, would break the
// framing: now it prints to standard error.
globalThis.console = new Console(process.stderr);

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

// The client is gone: there is nobody to answer.
process.stdout.on("error", () => process.exit(1));
// Ctrl-C in a terminal reaches both processes. The client decides when this one ends.
process.on("SIGINT", () => {});

try {
  // Ends with the client, however it ends: then the kernel closes the pipe.
  for await (const message of read(process.stdin)) {
    if (!write(process.stdout, answer(message))) await once(process.stdout, "drain");
  }
} catch (error) {
  process.stderr.write(`the server ends: ${error.message}\n`);
  process.exitCode = 1;
}
