// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/my.sock hello world`.
import { once } from "node:events";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";

const DEADLINE_MS = 1000;
const MAX_BYTES = 1024 * 1024;
const [, , place = "my.sock", ...texts] = process.argv;

// One session for the whole process; it carries up to 100 requests at once. The host name is only a header.
const session = connect("http://localhost", { createConnection: () => connectSocket(place) });
session.on("error", () => {}); // every request under way gets the error

/** Sends a request and returns its reply. At the deadline only this request is cancelled; the session lives on. */
async function request(message) {
  const stream = session.request({ ":method": "POST", ":path": "/" });
  const late = new Error(`no reply within ${DEADLINE_MS} ms`);
  const timer = setTimeout(() => stream.destroy(late), DEADLINE_MS);
  try {
    stream.end(message);
    const [headers] = await once(stream, "response");
    const parts = [];
    let bytes = 0;
    for await (const part of stream) {
      bytes += part.length;
      if (bytes > MAX_BYTES) throw new RangeError(`a reply of more than ${MAX_BYTES} bytes`);
      parts.push(part);
    }
    if (headers[":status"] !== 200) throw new Error(`the server answers with status ${headers[":status"]}`);
    return Buffer.concat(parts);
  } finally {
    clearTimeout(timer);
  }
}

try {
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  session.destroy();
}
