// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client that starts its server: `node client.mjs hello world`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { read, write } from "./frames.mjs";

const DEADLINE_MS = 1000;
const END_MS = 1000; // longest wait for the server's own end
const texts = process.argv.slice(2);

const script = fileURLToPath(new URL("server.mjs", import.meta.url));
// The log of the server goes to ours. Its environment holds only what it needs.
const server = spawn(process.execPath, [script], {
  stdio: ["pipe", "pipe", "inherit"],
  env: { PATH: process.env.PATH },
});
const ended = once(server, "exit").catch((error) => error); // an error: the program does not start
server.stdin.on("error", () => {}); // whoever waits for a reply sees the end of the stream
const replies = read(server.stdout);

/** Sends a request and returns its reply. A late server is ended, since its reply would be taken for the next one. */
async function request(message) {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    server.kill("SIGKILL");
  }, DEADLINE_MS);
  try {
    write(server.stdin, message);
    const { value, done } = await replies.next();
    if (isLate) throw new Error(`no reply within ${DEADLINE_MS} ms; the server was ended`);
    if (done) throw new Error("the server ended");
    return value;
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
  server.stdin.end(); // asks the server to end
  const timer = setTimeout(() => server.kill("SIGKILL"), END_MS);
  await ended;
  clearTimeout(timer);
}
