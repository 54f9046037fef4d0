// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Client: `node client.mjs /my-service hello world`. Each call blocks the process until the reply is there.
import { existsSync } from "node:fs";
import { Futex, isOwned, SharedMemory } from "ipcmark/posix";
import { CLIENT, put, SEGMENT_BYTES, TURN, take } from "./slot.mjs";

const DEADLINE_MS = 1000;
const SLICE_MS = 50; // between two looks whether the server lives
const [, , name = "/my-service", ...texts] = process.argv;

/** Sleeps until TURN is even. */
function waitForTurn({ mapping, fd }, futex) {
  const untilMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const turn = Atomics.load(mapping.words, TURN);
    if ((turn & 1) === 0) return turn;
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) throw new Error(`no reply within ${DEADLINE_MS} ms`);
    if (futex.wait(turn, Math.min(leftMs, SLICE_MS)) === "timeout" && !isOwned(fd)) throw new Error("the server died");
  }
}

/** Sends a request and returns its reply. A slot that an earlier client left in use is free after its late reply. */
function request(segment, futex, message) {
  const { mapping } = segment;
  const turn = waitForTurn(segment, futex);
  put(mapping, message);
  Atomics.store(mapping.words, TURN, (turn + 1) | 0);
  futex.wake();
  waitForTurn(segment, futex);
  return take(mapping);
}

/** Takes the slot for this client; from a dead client, too. */
function claim({ words }) {
  const other = Atomics.load(words, CLIENT);
  if (other !== 0 && isAlive(other)) throw new Error(`process ${other} uses the slot`);
  if (Atomics.compareExchange(words, CLIENT, other, process.pid) !== other)
    throw new Error("another client was faster");
}

const isAlive = (pid) => existsSync(`/proc/${pid}`);

try {
  const segment = SharedMemory.open(name, SEGMENT_BYTES);
  if (!isOwned(segment.fd)) throw new Error(`no server at ${name}`);
  claim(segment.mapping);
  const futex = new Futex(segment.mapping, TURN);
  try {
    for (const text of texts) process.stdout.write(`${request(segment, futex, Buffer.from(text))}\n`);
  } finally {
    Atomics.store(segment.mapping.words, CLIENT, 0);
    segment.close();
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
