// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on a Unix socket: `node server.mjs /run/user/1000/my.sock`. HTTP/2 without TLS, which browsers refuse.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:http2";
import { connect } from "node:net";

const MAX_BYTES = 1024 * 1024;
const IDLE_MS = 60_000;
const [, , place = "my.sock"] = process.argv;

process.umask(0o177); // the socket is made with mode 0600: only this user can connect

/** Removes the socket that a killed server left. A live server is not disturbed: then `listen` fails below. */
async function removeStale() {
  const probe = connect(place);
  const failure = await once(probe, "connect").catch((error) => error);
  probe.destroy();
  if (failure?.code === "ECONNREFUSED") rmSync(place);
}

const server = createServer({ settings: { maxConcurrentStreams: 100 } });
server.on("sessionError", () => {});
server.on("session", (session) => session.setTimeout(IDLE_MS, () => session.close()));
server.on("stream", async (stream, headers) => {
  stream.on("error", () => {}); // the client went away
  const end = (status, body = "") => {
    if (stream.destroyed) return;
    stream.respond({ ":status": status });
    stream.end(body);
  };
  if (headers[":method"] !== "POST") return end(405);
  const parts = [];
  let bytes = 0;
  try {
    for await (const part of stream) {
      bytes += part.length;
      if (bytes > MAX_BYTES) return end(413);
      parts.push(part);
    }
    end(200, Buffer.concat(parts).toString().toUpperCase());
  } catch {
    // The request was cancelled, by a deadline of the client for example: nobody waits for a reply.
  }
});

await removeStale();
server.listen(place);
await once(server, "listening");
process.stdout.write("ready\n");
const sessions = new Set();
server.on("session", (session) => sessions.add(session.once("close", () => sessions.delete(session))));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    server.close(); // removes the file, too
    for (const session of sessions) session.close(); // ends after the requests that are under way
  });
}
