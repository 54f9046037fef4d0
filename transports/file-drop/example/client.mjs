// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/drop hello world`. Takes a file for each request and one for each reply.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { onChange, put, take } from "./files.mjs";

const DEADLINE_MS = 1000;
const MAX_WAITING = 1000; // without a limit, a server that does not run fills the disk
const [, , folder = "drop", ...texts] = process.argv;

/** Sends a request and returns its reply. */
async function request(message) {
  const requests = join(folder, "requests");
  if ((await readdir(requests)).length >= MAX_WAITING) throw new Error("too many requests wait already");
  const name = `${Date.now()}-${randomUUID()}`; // the time first: the server takes them in this order
  const reply = join(folder, "replies", name);
  await put(join(requests, name), message);
  try {
    await appears(reply);
    return await take(reply);
  } finally {
    // At the deadline this takes the request back. A server that has it already does its work all the same.
    await rm(join(requests, name), { force: true });
    await rm(reply, { force: true });
  }
}

function appears(path) {
  return new Promise((resolve, reject) => {
    const settle = (how, value) => {
      end();
      clearTimeout(timer);
      how(value);
    };
    const look = () => existsSync(path) && settle(resolve);
    const timer = setTimeout(() => settle(reject, new Error(`no reply within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    const end = onChange(join(path, ".."), look);
    look();
  });
}

try {
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
