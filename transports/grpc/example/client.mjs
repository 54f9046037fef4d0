// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/my.sock hello world`.
import { Client, credentials } from "@grpc/grpc-js";
import { OPTIONS, SERVICE } from "./service.mjs";

const DEADLINE_MS = 1000;
const [, , place = "my.sock", ...texts] = process.argv;

// One client for the whole process: it holds the connection, reconnects, and carries many calls at once.
const client = new Client(`unix:${place}`, credentials.createInsecure(), OPTIONS);
const { path, requestSerialize, responseDeserialize } = SERVICE.shout;

/** Every call has a deadline. Without one, gRPC waits for ever. The server sees the deadline, too. */
function request(message) {
  const deadline = Date.now() + DEADLINE_MS;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, { deadline }, (error, reply) => {
      if (error) reject(error);
      else resolve(reply);
    });
  });
}

try {
  for (const text of texts) process.stdout.write(`${await request(Buffer.from(text))}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`); // such as "4 DEADLINE_EXCEEDED", "14 UNAVAILABLE", "8 RESOURCE_EXHAUSTED"
  process.exitCode = 1;
} finally {
  client.close();
}
