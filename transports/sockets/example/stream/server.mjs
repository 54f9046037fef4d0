// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on a Unix socket: `node server.mjs /run/user/1000/my.sock`. On Windows name a pipe (`\\.\pipe\my-pipe`). A
// number is a TCP port of 127.0.0.1. Every user of the machine can connect to a port, so a path is the better choice.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { read, write } from "./frames.mjs";

const IDLE_MS = 60_000; // ends connections of clients that stopped in the middle of a message
const MAX_CLIENTS = 64;
const [, , place = "my.sock"] = process.argv;
const isPort = /^\d+$/.test(place);
const isFile = !isPort && process.platform !== "win32";
const address = isPort ? { host: "127.0.0.1", port: Number(place) } : { path: place };

process.umask(0o177); // the socket is made with mode 0600: only this user can connect

const server = createServer({ noDelay: true }, async (socket) => {
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on("error", () => {}); // the loop below ends with the same error
  try {
    for await (const message of read(socket)) {
      // A client that sends and never reads stops the loop here, instead of filling the memory with replies.
      if (!write(socket, answer(message))) await Promise.race([once(socket, "drain"), once(socket, "close")]);
    }
    socket.end();
  } catch (error) {
    process.stderr.write(`a connection ended: ${error.message}\n`);
    socket.destroy();
  }
});
server.maxConnections = MAX_CLIENTS;

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

/** Removes the socket that a killed server left. A live server is not disturbed: then `listen` fails below. */
async function removeStale() {
  const probe = connect(address);
  const failure = await once(probe, "connect").catch((error) => error);
  probe.destroy();
  if (failure?.code === "ECONNREFUSED") rmSync(place);
}

if (isFile) await removeStale();
server.listen(address);
await once(server, "listening");
process.stdout.write("ready\n");
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    server.close(); // removes the file, too
    setTimeout(() => process.exit(), 100); // connections in use get this long
  });
}
