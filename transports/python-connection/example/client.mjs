// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client of server.py: `node client.mjs /run/user/1000/my.sock hello world`. Needs `npm install ipcmark`, of which it
// loads only the protocol of multiprocessing.connection.
import { readFileSync } from "node:fs";
import { connect } from "ipcmark/python-connection";

const DEADLINE_MS = 1000;
const MAX_BYTES = 1024 * 1024;
const [, , place = "my.sock", ...texts] = process.argv;
let connection;

/** Sends a request and returns its reply. After a deadline, close: a late reply would be taken for the next one. */
async function request(message) {
  if (message.length > MAX_BYTES) throw new RangeError(`${message.length} bytes; the limit is ${MAX_BYTES}`);
  await connection.sendBytes(message);
  // Rejects with IPC_TIMEOUT at the deadline, and with IPC_PEER_LOST when the server dies.
  const reply = await connection.receiveBytes({ timeoutMs: DEADLINE_MS });
  if (reply === undefined) throw new Error("the server closed the connection");
  return Buffer.from(reply);
}

try {
  const key = readFileSync(`${place}.key`);
  connection = await connect(place, { key, maxMessageBytes: MAX_BYTES, handshakeTimeoutMs: DEADLINE_MS });
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await connection?.close();
}
