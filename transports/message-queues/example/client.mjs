// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /my-service hello world`. Each call blocks the process until the reply is there.
import { MessageQueue } from "ipcmark/posix";

const DEADLINE_MS = 1000;
const SHAPE = { maxMessages: 1, maxMessageBytes: 4096 };
const [, , name = "/my-service", ...texts] = process.argv;

// The reply queue belongs to this client, so replies need no address. A killed client leaves it: see /dev/mqueue.
const replyName = `${name}.${process.pid}`;

/** Sends a request and returns its reply. After a deadline, end: a late reply would answer the next request. */
function request(requests, replies, message) {
  const untilMs = performance.now() + DEADLINE_MS;
  const head = Buffer.from([replyName.length, ...Buffer.from(replyName, "latin1")]);
  // Throws if the message is longer than the queue allows.
  if (!requests.send(Buffer.concat([head, message]), DEADLINE_MS)) throw new Error("the queue of the server is full");
  const buffer = Buffer.alloc(SHAPE.maxMessageBytes);
  const length = replies.receive(buffer, untilMs - performance.now());
  if (length < 0) throw new Error(`no reply within ${DEADLINE_MS} ms`);
  return buffer.subarray(0, length);
}

try {
  const requests = MessageQueue.open(name); // fails if no server has made it
  MessageQueue.unlink(replyName); // left by an earlier process with this id
  const replies = MessageQueue.create(replyName, SHAPE);
  try {
    for (const text of texts) process.stdout.write(`${request(requests, replies, Buffer.from(text))}\n`);
  } finally {
    MessageQueue.unlink(replyName);
    replies.close();
    requests.close();
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
