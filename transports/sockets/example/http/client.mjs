// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /run/user/1000/my.sock hello world`.
import { once } from "node:events";
import { Agent, request as open } from "node:http";

const DEADLINE_MS = 1000;
const MAX_BYTES = 1024 * 1024;
const [, , place = "my.sock", ...texts] = process.argv;

// Connections stay open and are used again. Each carries one request at a time, so this many run at once.
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** Sends a request and returns its reply. At the deadline its connection is closed, so no late reply can come. */
async function request(message) {
  const headers = { "content-length": message.length };
  const call = open({ socketPath: place, agent, method: "POST", headers });
  call.on("error", () => {}); // the wait below ends with the same error
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    call.destroy();
  }, DEADLINE_MS);
  try {
    call.end(message);
    const [response] = await once(call, "response");
    const parts = [];
    let bytes = 0;
    for await (const part of response) {
      bytes += part.length;
      if (bytes > MAX_BYTES) throw new RangeError(`a reply of more than ${MAX_BYTES} bytes`);
      parts.push(part);
    }
    if (response.statusCode !== 200) throw new Error(`the server answers with status ${response.statusCode}`);
    return Buffer.concat(parts);
  } catch (error) {
    throw isLate ? new Error(`no reply within ${DEADLINE_MS} ms`) : error;
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
  agent.destroy();
}
