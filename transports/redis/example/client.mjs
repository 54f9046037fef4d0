// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/redis/redis.sock hello world`. Needs `npm install @redis/client`.
import { randomUUID } from "node:crypto";
import { createClient } from "@redis/client";

const DEADLINE_MS = 1000;
const MAX_WAITING = 1000; // requests in the list; without a limit, a dead server fills the memory of the broker
const MAX_BYTES = 1024 * 1024;
const [, , place = "/run/redis/redis.sock", ...texts] = process.argv;

const redis = createClient({ socket: { path: place, reconnectStrategy: false } });
redis.on("error", () => {}); // the commands fail with the same error

/** Sends a request and returns its reply. Each request has a key for its reply, so none can be taken for another. */
async function request(text) {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new RangeError(`the limit is ${MAX_BYTES} bytes`);
  const replyTo = `example:replies:${randomUUID()}`;
  if ((await redis.lLen("example:requests")) >= MAX_WAITING) throw new Error("too many requests wait already");
  const message = { replyTo, validUntilMs: Date.now() + DEADLINE_MS, text };
  await redis.rPush("example:requests", JSON.stringify(message));
  const reply = await redis.blPop(replyTo, DEADLINE_MS / 1000);
  if (reply === null) throw new Error(`no reply within ${DEADLINE_MS} ms`);
  return reply.element;
}

try {
  await redis.connect();
  for (const text of texts) process.stdout.write(`${await request(text)}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  redis.destroy();
}
