// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/my.sock hello world`. Needs `npm install ws@8`.
import { once } from "node:events";
import { connect } from "node:net";
import WebSocket from "ws";

const DEADLINE_MS = 1000;
const MAX_BYTES = 1024 * 1024;
const [, , place = "my.sock", ...texts] = process.argv;

// The host name is only a header.
const socket = new WebSocket("ws://localhost/", {
  createConnection: () => connect(place),
  maxPayload: MAX_BYTES,
  perMessageDeflate: false,
});
const closed = once(socket, "close").then(() => {
  throw new Error("the server closed the connection");
});
closed.catch(() => {}); // whoever waits for a reply gets the error
socket.on("error", () => {}); // the same

/** Waits for an event. After a deadline the connection is gone: the late reply would be taken for the next one. */
async function next(event) {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    return await Promise.race([once(socket, event, { signal }), closed]);
  } catch (error) {
    socket.terminate();
    throw signal.aborted ? new Error(`no reply within ${DEADLINE_MS} ms`) : error;
  }
}

/** Sends a request and returns its reply. One request at a time: for several at once, put an id into each message. */
async function request(message) {
  const reply = next("message");
  socket.send(message);
  const [value] = await reply;
  return value;
}

try {
  await next("open");
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  socket.terminate(); // nothing is under way
}
