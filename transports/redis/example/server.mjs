// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server behind a Redis or Valkey that runs already: `node server.mjs /run/redis/redis.sock`. Needs `npm install
// @redis/client`. Who may connect is decided by the broker (`unixsocketperm 700`, ACLs), not here.
import { createClient } from "@redis/client";

const REQUESTS = "example:requests";
const REPLIES = "example:replies:";
const SLICE_S = 1; // between two looks whether this process should end
const KEEP_S = 10; // a reply that nobody takes is gone after this time
const [, , place = "/run/redis/redis.sock"] = process.argv;

const redis = createClient({ socket: { path: place, reconnectStrategy: false } });
redis.on("error", (error) => process.stderr.write(`${error.message}\n`));
await redis.connect();

async function serve(text) {
  const { replyTo, validUntilMs, text: message } = JSON.parse(text);
  // Otherwise a request could make the server write over any key.
  if (typeof replyTo !== "string" || !replyTo.startsWith(REPLIES)) throw new Error("a request names a foreign key");
  // The list outlives the server: what waited for a restart may be too old to matter.
  if (validUntilMs < Date.now()) return;
  await redis.multi().rPush(replyTo, String(message).toUpperCase()).expire(replyTo, KEEP_S).exec();
}

let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => (isStopping = true));
process.stdout.write("ready\n");
while (!isStopping) {
  // Taken from the list before it is served: a server that dies now loses this request. See LMOVE if that matters.
  const next = await redis.blPop(REQUESTS, SLICE_S);
  if (next === null) continue;
  try {
    await serve(next.element);
  } catch (error) {
    process.stderr.write(`a request is dropped: ${error.message}\n`);
  }
}
await redis.close();
