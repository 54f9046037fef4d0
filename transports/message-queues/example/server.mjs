// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server on a POSIX message queue: `node server.mjs /my-service`. Linux; `npm install ipcmark` for the calls of the C
// library. The kernel keeps boundaries, so there is no framing, only: length of the reply queue's name, name, bytes.
import { setImmediate as breathe } from "node:timers/promises";
import { MessageQueue, tryLockExclusive } from "ipcmark/posix";

/** All queues of a user together have 800 KiB by default (RLIMIT_MSGQUEUE), so they are short. */
const SHAPE = { maxMessages: 8, maxMessageBytes: 4096 };
const SLICE_MS = 50; // no signal is handled during a wait, so waits are short
const REPLY_MS = 100; // a client whose queue stays full for this long loses its reply and stops nobody else
const [, , name = "/my-service"] = process.argv;

/** Creates the queue (mode 0600); takes the name from a dead server, whose lock the kernel has dropped. */
function createQueue() {
  try {
    return MessageQueue.create(name, SHAPE);
  } catch (error) {
    if (error.code !== "IPC_ADDRESS_IN_USE") throw error;
    const old = MessageQueue.open(name);
    const isDead = tryLockExclusive(old.fd);
    if (isDead) MessageQueue.unlink(name);
    old.close();
    if (!isDead) throw error;
    return MessageQueue.create(name, SHAPE);
  }
}

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

function serve(request) {
  const end = 1 + request[0];
  const replyTo = request.toString("latin1", 1, end);
  // Otherwise a request could make the server write into the queue of another program.
  if (!replyTo.startsWith(`${name}.`)) throw new Error("a request names a foreign queue");
  const queue = MessageQueue.open(replyTo); // keep it open for each client where microseconds count
  const isSent = queue.send(answer(request.subarray(end)), REPLY_MS);
  queue.close();
  if (!isSent) throw new Error(`${replyTo} is full: its reply is lost`);
}

const requests = createQueue();
tryLockExclusive(requests.fd);
let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => (isStopping = true));
process.stdout.write("ready\n");
const buffer = Buffer.alloc(SHAPE.maxMessageBytes);
while (!isStopping) {
  const length = requests.receive(buffer, SLICE_MS);
  try {
    if (length >= 0) serve(buffer.subarray(0, length));
  } catch (error) {
    process.stderr.write(`a request is dropped: ${error.message}\n`);
  }
  await breathe();
}
MessageQueue.unlink(name);
