// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server of many clients: `node server.mjs /run/user/1000/my.sock`. Needs `npm install zeromq@6`. ZeroMQ keeps the
// boundaries of messages, so there is no framing; each message has the frames client, tag, bytes.
import { rmSync } from "node:fs";
import { Router } from "zeromq";

const MAX_BYTES = 1024 * 1024;
const [, , place = "my.sock"] = process.argv;

process.umask(0o177); // the socket is made with mode 0600: only this user can connect

const router = new Router({
  maxMessageSize: MAX_BYTES, // a client that sends more is disconnected
  receiveHighWaterMark: 64, // so many messages wait for each client, in each direction
  sendHighWaterMark: 64,
  sendTimeout: 0, // a client that does not read loses its replies, and stops nobody else
  mandatory: true, // a reply to a client that is gone is an error below, instead of nothing at all
  linger: 0, // messages that nobody takes do not keep the process
});

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

// ZeroMQ takes the path even from a live server, which then waits for ever. Use a lock if two may start.
await router.bind(`ipc://${place}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => router.close());
process.stdout.write("ready\n");
for await (const [client, tag, message] of router) {
  if (message === undefined) continue; // not one of our clients
  try {
    await router.send([client, tag, answer(message)]);
  } catch (error) {
    process.stderr.write(`a reply is lost: ${error.message}\n`);
  }
}
rmSync(place, { force: true });
