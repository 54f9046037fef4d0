// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/my.sock hello world` sends one request after the other.
import { once } from "node:events";
import { connect } from "node:net";
import { read, write } from "./frames.mjs";

const DEADLINE_MS = 1000;
const [, , place = "my.sock", ...texts] = process.argv;
const address = /^\d+$/.test(place) ? { host: "127.0.0.1", port: Number(place) } : { path: place };

const socket = connect({ ...address, noDelay: true });
socket.on("error", () => {}); // whoever waits for a reply gets the error
const replies = read(socket);

/**
 * Sends a request and returns its reply. One request at a time: for several at once, put an id into each message.
 * After a deadline the connection is gone, since the late reply would be taken for that of the next request.
 */
async function request(message) {
  const late = new Error(`no reply within ${DEADLINE_MS} ms`);
  const timer = setTimeout(() => socket.destroy(late), DEADLINE_MS);
  try {
    write(socket, message);
    const { value, done } = await replies.next();
    if (done) throw new Error("the server closed the connection");
    return value;
  } finally {
    clearTimeout(timer);
  }
}

try {
  await once(socket, "connect");
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  socket.destroy();
}
