// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// HTTP server on a Unix socket: `node server.mjs /run/user/1000/my.sock`. To try it: `curl --unix-socket
// /run/user/1000/my.sock --data hello http://localhost/`. HTTP keeps the boundaries of messages: there is no framing.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";

const MAX_BYTES = 1024 * 1024;
const MAX_CLIENTS = 64;
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

const server = createServer(async (request, response) => {
  // What was not read of a request is no beginning of the next one, so the connection ends.
  const refuse = (status) => response.writeHead(status, { connection: "close" }).end();
  if (request.method !== "POST") return refuse(405);
  const parts = [];
  let bytes = 0;
  try {
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      bytes += part.length;
      if (bytes > MAX_BYTES) return refuse(413);
      parts.push(part);
    }
    response.end(answer(Buffer.concat(parts)));
  } catch {
    // The client went away: nobody waits for a reply.
  }
});
server.maxConnections = MAX_CLIENTS;
server.headersTimeout = 5000; // ends clients that stopped in the middle of a header
server.requestTimeout = 30_000; // the same for a whole request
server.keepAliveTimeout = 60_000; // a client is told, and opens a new connection in time

await removeStale();
server.listen(place);
await once(server, "listening");
process.stdout.write("ready\n");
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    server.close(); // removes the file, too, and ends connections without a request
    setTimeout(() => server.closeAllConnections(), 100); // requests under way get this long
  });
}
