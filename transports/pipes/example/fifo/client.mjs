// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/my-service hello world` sends one request after the other.
import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { open, read, write } from "./frames.mjs";

const DEADLINE_MS = 1000;
const [, , folder = "my-service", ...texts] = process.argv;
const lock = join(folder, "client.lock");

/** Sends a request and returns its reply; skips replies to requests that nobody waits for any more. */
async function request(requests, replies, message) {
  const tag = randomBytes(4);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no reply within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    write(requests, tag, message);
    for (;;) {
      const { value } = await Promise.race([replies.next(), late]);
      if (value.tag.equals(tag)) return value.message;
    }
  } finally {
    clearTimeout(timer);
  }
}

const streams = [];
let isMine = false;
try {
  // Two readers of one FIFO would take each other's replies. A killed client leaves the lock: remove it by hand.
  closeSync(openSync(lock, "wx", 0o600));
  isMine = true;
  const requests = open(join(folder, "requests"), "write");
  const replies = open(join(folder, "replies"), "read");
  streams.push(requests, replies);
  const incoming = read(replies);
  for (const text of texts) process.stdout.write(`${await request(requests, incoming, Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  for (const stream of streams) stream.destroy();
  if (isMine) rmSync(lock, { force: true });
}
