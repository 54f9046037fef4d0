// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client that starts its server: `node client.mjs hello world`. Start programs only that you trust: over this channel a
// child can make its parent abort.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const DEADLINE_MS = 1000;
const MAX_WAITING = 64; // replies that are waited for; without a limit, a slow server fills the memory of this process
const END_MS = 1000; // longest wait for the server's own end
const texts = process.argv.slice(2);

const server = fork(fileURLToPath(new URL("server.mjs", import.meta.url)), {
  serialization: "advanced", // "json", the default, makes an array of numbers of a Buffer
  stdio: ["ignore", 2, 2, "ipc"], // the log of the server goes to ours
  env: { PATH: process.env.PATH },
});
const ended = once(server, "exit").catch((error) => error); // an error: the program does not start
const waiting = new Map();
let lastId = 0;

server.on("message", ({ id, body, error }) => {
  // A late reply has an id that nobody waits for.
  if (error === undefined) waiting.get(id)?.resolve(Buffer.from(body));
  else waiting.get(id)?.reject(new Error(error));
});
server.once("exit", () => {
  for (const { reject } of waiting.values()) reject(new Error("the server ended"));
});

/** Sends a request and returns its reply. Several may be under way. */
async function request(body) {
  if (waiting.size >= MAX_WAITING) throw new Error("too many requests wait already");
  const id = ++lastId;
  const reply = Promise.withResolvers();
  waiting.set(id, reply);
  const timer = setTimeout(() => reply.reject(new Error(`no reply within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  try {
    server.send({ id, body }, (error) => error && reply.reject(new Error("the server ended")));
    return await reply.promise;
  } finally {
    clearTimeout(timer);
    waiting.delete(id);
  }
}

try {
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  if (server.connected) server.disconnect(); // asks the server to end
  setTimeout(() => server.kill("SIGKILL"), END_MS).unref();
  await ended;
}
