// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/my.sock hello world`. It may start before its server.
import { randomBytes } from "node:crypto";
import { Dealer } from "zeromq";

const DEADLINE_MS = 1000;
const MAX_BYTES = 1024 * 1024;
const [, , place = "my.sock", ...texts] = process.argv;

// No notice comes when the server dies or is not there: only deadlines end a wait.
const dealer = new Dealer({
  sendTimeout: DEADLINE_MS,
  maxMessageSize: MAX_BYTES,
  sendHighWaterMark: 64,
  linger: 0, // unsent messages do not keep the process
});
dealer.connect(`ipc://${place}`);

/** Sends a request and returns its reply; skips late replies to earlier requests, which have another tag. */
async function request(message) {
  if (message.length > MAX_BYTES) throw new RangeError(`${message.length} bytes; the limit is ${MAX_BYTES}`);
  const untilMs = performance.now() + DEADLINE_MS;
  const tag = randomBytes(8);
  await dealer.send([tag, message]);
  for (;;) {
    dealer.receiveTimeout = Math.max(0, Math.round(untilMs - performance.now()));
    const [found, reply] = await dealer.receive();
    if (found.equals(tag)) return reply;
  }
}

try {
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.code === "EAGAIN" ? `no reply within ${DEADLINE_MS} ms` : error.message}\n`);
  process.exitCode = 1;
} finally {
  dealer.close();
}
