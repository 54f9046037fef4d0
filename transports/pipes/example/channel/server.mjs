// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on the channel of Node. The client starts it (see client.mjs), so there is no address, no permission to set
// and nothing to clean up. Node keeps the boundaries of messages: there is no framing, and printing cannot break it.

/** The channel itself has no limit: a message is read whole before anybody can refuse it. */
const MAX_BYTES = 1024 * 1024;

function answer(message) {
  return Buffer.from(Buffer.from(message).toString().toUpperCase());
}

// Ends with the client, however it ends: then the kernel closes the channel.
process.on("disconnect", () => process.exit());
// Ctrl-C in a terminal reaches both processes. The client decides when this one ends.
process.on("SIGINT", () => {});

process.on("message", ({ id, body }) => {
  const reply = body.length > MAX_BYTES ? { id, error: `the limit is ${MAX_BYTES} bytes` } : { id, body: answer(body) };
  // The client is gone: there is nobody to answer.
  process.send(reply, (error) => error && process.exit(1));
});
