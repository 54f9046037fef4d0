// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on two FIFOs in a folder that it makes: `node server.mjs /run/user/1000/my-service`. One client at a time.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open, read, write } from "./frames.mjs";

const [, , folder = "my-service"] = process.argv;
const owner = join(folder, "server.pid");

/** Takes the folder. What a killed server left is removed; the folder of a live one is not. */
function takeFolder() {
  try {
    process.kill(Number(readFileSync(owner, "utf8")), 0);
    throw new Error(`a server uses ${folder}`);
  } catch (error) {
    if (error.code === "ESRCH") rmSync(folder, { recursive: true });
    else if (error.code !== "ENOENT") throw error;
  }
  mkdirSync(folder, { mode: 0o700 }); // only this user can enter; fails if something else has the name
  writeFileSync(owner, String(process.pid));
  // Node has no call for this, so it takes the program.
  for (const name of ["requests", "replies"]) execFileSync("mkfifo", ["-m", "600", join(folder, name)]);
}

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

takeFolder();
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit());

const requests = open(join(folder, "requests"), "read");
const replies = open(join(folder, "replies"), "write");
process.stdout.write("ready\n");
for await (const { tag, message } of read(requests)) {
  // A FIFO holds 64 KiB. With a client that does not read, the server waits here and takes no further request.
  if (!write(replies, tag, answer(message))) await once(replies, "drain");
}
