import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { isIpcError, MappedFile, Semaphore, SharedMemory } from "../index.ts";

/** Fills /dev/shm, which the test has made tiny, then creates one object of each kind and prints the results. */
const ballast = openSync("/dev/shm/ballast", "w", 0o600);
const chunk = Buffer.alloc(4096, 1);
try {
  for (;;) writeSync(ballast, chunk);
} catch {
  closeSync(ballast);
}

function attempt(create: () => unknown): unknown {
  try {
    create();
    return "created";
  } catch (error) {
    if (!isIpcError(error)) throw error;
    return { code: error.code, errno: error.errno, message: error.message };
  }
}

// Loads the binding now, because it opens files and keeps them open.
SharedMemory.unlink("/nothing");
const before = readdirSync("/proc/self/fd").length;
const seen = {
  SharedMemory: attempt(() => SharedMemory.create("/segment", 8192)),
  Semaphore: attempt(() => Semaphore.create("/semaphore")),
  MappedFile: attempt(() => MappedFile.create("/dev/shm/file", 8192)),
};
const descriptors = readdirSync("/proc/self/fd").length - before;
process.stdout.write(JSON.stringify({ ...seen, left: readdirSync("/dev/shm"), descriptors }));
