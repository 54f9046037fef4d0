// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Server in shared memory: `node server.mjs /my-service`, which is the file /dev/shm/my-service with mode 0600.
import { setImmediate as breathe } from "node:timers/promises";
import { Futex, isOwned, SharedMemory } from "ipcmark/posix";
import { put, SEGMENT_BYTES, TURN, take } from "./slot.mjs";

const SLICE_MS = 50; // no signal is handled during a wait, so waits are short
const BUSY_REQUESTS = 256; // a server that never waits looks for signals this often
const [, , name = "/my-service"] = process.argv;

/** Takes the name from a dead server. The kernel drops the lock of a segment when its owner dies, however it dies. */
function createSegment() {
  try {
    return SharedMemory.create(name, SEGMENT_BYTES, { lock: true });
  } catch (error) {
    if (error.code !== "IPC_ADDRESS_IN_USE") throw error;
    const old = SharedMemory.open(name);
    const isLive = isOwned(old.fd);
    old.close();
    if (isLive) throw error;
    SharedMemory.unlink(name);
    return SharedMemory.create(name, SEGMENT_BYTES, { lock: true });
  }
}

function answer(message) {
  return Buffer.from(message.toString().toUpperCase());
}

const segment = createSegment();
const { mapping } = segment;
const futex = new Futex(mapping, TURN);
let isStopping = false;
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    isStopping = true;
  });
process.stdout.write("ready\n");

let served = 0;
while (!isStopping) {
  const turn = Atomics.load(mapping.words, TURN);
  if ((turn & 1) === 0) {
    // Sleeps only while TURN still has this value, so a request that comes now is not missed.
    if (futex.wait(turn, SLICE_MS) === "timeout") await breathe();
    continue;
  }
  put(mapping, answer(take(mapping)));
  Atomics.store(mapping.words, TURN, (turn + 1) | 0); // publishes all that was written before
  futex.wake();
  if (++served % BUSY_REQUESTS === 0) await breathe();
}
SharedMemory.unlink(name);
segment.close();
