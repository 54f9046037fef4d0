// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client that starts its server: `node client.mjs hello world`. All requests are under way at once.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { readLines, write } from "./lines.mjs";

const DEADLINE_MS = 1000;
const texts = process.argv.slice(2);

const script = fileURLToPath(new URL("server.mjs", import.meta.url));
const server = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
const ended = once(server, "exit").catch((error) => error); // an error: the program does not start
server.stdin.on("error", () => {}); // the requests under way fail below

const pending = new Map();
let lastId = 0;

/** Sends a request and returns its result. A late response has an id that is not in the map any more. */
function call(method, params) {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const settle = (how, value) => {
      clearTimeout(timer);
      pending.delete(id);
      how(value);
    };
    const timer = setTimeout(() => settle(reject, new Error(`no reply within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    pending.set(id, { resolve: (value) => settle(resolve, value), reject: (error) => settle(reject, error) });
    write(server.stdin, { id, method, params });
  });
}

async function receive() {
  for await (const line of readLines(server.stdout)) {
    const { id, result, error } = JSON.parse(line);
    if (error) pending.get(id)?.reject(new Error(`${error.message} (${error.code})`));
    else pending.get(id)?.resolve(result);
  }
  throw new Error("the server ended");
}
receive().catch((error) => {
  for (const { reject } of [...pending.values()]) reject(error);
});

try {
  const results = await Promise.all(texts.map((text) => call("shout", { text })));
  for (const result of results) process.stdout.write(`${result}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  server.stdin.end(); // asks the server to end
  const timer = setTimeout(() => server.kill("SIGKILL"), DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}
