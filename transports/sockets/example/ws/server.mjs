// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// WebSocket server on a Unix socket: `node server.mjs /run/user/1000/my.sock`. Needs `npm install ws@8`. WebSockets
// keep the boundaries of messages: there is no framing.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { WebSocketServer } from "ws";

const MAX_BYTES = 1024 * 1024;
const MAX_CLIENTS = 64;
const GOING_AWAY = 1001;
const [, , place = "my.sock"] = process.argv;

process.umask(0o177); // the socket is made with mode 0600: only this user can connect

/** Removes the socket that a killed server left. A live server is not disturbed: then `listen` fails below. */
async function removeStale() {
  const probe = connect(place);
  const failure = await once(probe, "connect").catch((error) => error);
  probe.destroy();
  if (failure?.code === "ECONNREFUSED") rmSync(place);
}

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

const server = createServer((_, response) => response.writeHead(426).end("use a WebSocket\n"));
server.maxConnections = MAX_CLIENTS;
server.headersTimeout = 5000; // ends clients that stopped in the middle of their first request

// Compression costs more time than a local socket takes. A longer message ends its connection, with code 1009.
const sockets = new WebSocketServer({ server, maxPayload: MAX_BYTES, perMessageDeflate: false });
sockets.on("connection", (socket) => {
  socket.on("error", (error) => process.stderr.write(`a connection ended: ${error.message}\n`));
  socket.on("message", (message) => {
    // A client that sends and never reads stops here, instead of filling the memory with replies.
    socket.pause();
    socket.send(answer(message), () => socket.resume());
  });
});

await removeStale();
server.listen(place);
await once(server, "listening");
process.stdout.write("ready\n");
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    server.close(); // removes the file, too
    for (const socket of sockets.clients) socket.close(GOING_AWAY);
    setTimeout(() => process.exit(), 100); // connections in use get this long
  });
}
