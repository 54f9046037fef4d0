// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on a Unix socket: `node server.mjs /run/user/1000/my.sock`. Needs `npm install @grpc/grpc-js`.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { promisify } from "node:util";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { OPTIONS, SERVICE } from "./service.mjs";

const END_MS = 1000; // longest wait for calls that are under way
const [, , place = "my.sock"] = process.argv;

// No TLS: the path is the protection. The socket is made with mode 0600, so only this user can connect.
process.umask(0o177);

/** Removes the socket that a killed server left. A live server is not disturbed: then binding fails below. */
async function removeStale() {
  const probe = connect(place);
  const failure = await once(probe, "connect").catch((error) => error);
  probe.destroy();
  if (failure?.code === "ECONNREFUSED") rmSync(place);
}

await removeStale();
const server = new Server(OPTIONS);
server.addService(SERVICE, {
  shout: (call, reply) => {
    if (call.cancelled) return; // the deadline of the client has passed: nobody waits for this
    reply(null, Buffer.from(call.request.toString().toUpperCase()));
  },
});
await promisify(server.bindAsync.bind(server))(`unix:${place}`, ServerCredentials.createInsecure());
process.stdout.write("ready\n");

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    const timer = setTimeout(() => server.forceShutdown(), END_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      rmSync(place, { force: true });
    });
  });
}
