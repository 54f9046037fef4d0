// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on a folder: `node server.mjs /run/user/1000/drop`. Requests keep while no server runs. Start only one.
import { mkdirSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { onChange, put, take } from "./files.mjs";

const KEEP_MS = 60_000; // a reply that nobody takes is removed after this time
const NAME = /^[\w-]{1,64}$/; // hidden files are unfinished ones
const [, , folder = "drop"] = process.argv;
const requests = join(folder, "requests");
const replies = join(folder, "replies");

for (const path of [folder, requests, replies]) mkdirSync(path, { recursive: true, mode: 0o700 });

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

async function serve(name) {
  const path = join(requests, name);
  try {
    await put(join(replies, name), answer(await take(path)));
  } catch (error) {
    process.stderr.write(`the request ${name} is dropped: ${error.message}\n`);
  }
  // After the reply: a server that dies before this serves the request again, so make requests repeatable.
  await rm(path, { recursive: true, force: true });
}

async function removeOld() {
  for (const name of await readdir(replies)) {
    const status = await lstat(join(replies, name)).catch(() => undefined);
    if (status && Date.now() - status.mtimeMs > KEEP_MS) await rm(join(replies, name), { force: true });
  }
}

let looking = Promise.resolve();
let isWaiting = false;
/** Looks once more after the look that is under way, so that nothing is missed and nothing is served twice. */
function look() {
  if (isWaiting) return;
  isWaiting = true;
  looking = looking.then(async () => {
    isWaiting = false;
    // Names begin with the time, so the oldest is first.
    for (const name of (await readdir(requests)).filter((each) => NAME.test(each)).sort()) await serve(name);
  });
}

const end = onChange(requests, look);
const cleaner = setInterval(removeOld, KEEP_MS);
look();
function stop() {
  end();
  clearInterval(cleaner); // then nothing keeps the process but the request that is being served
}
process.stdout.write("ready\n");
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop);
