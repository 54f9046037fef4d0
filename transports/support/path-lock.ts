import { closeSync, constants as fs, openSync, realpathSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { IpcError } from "../contract/errors.ts";

/** Holding it takes a few system calls, so a waiter that sees it busy this long sees something broken. */
const WAIT_LIMIT_MS = 2000;
const RETRY_MS = 3;
const MAX_NAME_BYTES = 40;
/** BSD and macOS: `open` takes an exclusive `flock`, which the kernel drops with the descriptor. Node does not export it. */
const O_EXLOCK = 0x20;

/**
 * Runs `work` while no other process that uses this function does so for the same path. Between "nobody answers there"
 * and "it is ours now" two servers could otherwise both believe that they took over a stale path.
 *
 * The kernel releases the lock when its owner dies, and it leaves nothing in the file system: an abstract socket name on
 * Linux (one per network namespace), a `flock` on the directory on macOS.
 */
export async function withPathLock<T>(path: string, transport: string, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + WAIT_LIMIT_MS;
  for (;;) {
    const release = await tryLock(path);
    if (release !== undefined) {
      try {
        return await work();
      } finally {
        await release();
      }
    }
    if (performance.now() > deadline) {
      const message = `${transport}: another server has been starting at ${path} for ${WAIT_LIMIT_MS} ms`;
      throw new IpcError("IPC_ADDRESS_IN_USE", message, { transport });
    }
    await delay(RETRY_MS);
  }
}

async function tryLock(path: string): Promise<(() => Promise<void>) | undefined> {
  return process.platform === "linux" ? lockByName(path) : lockByDirectory(path);
}

async function lockByName(path: string): Promise<(() => Promise<void>) | undefined> {
  // Two spellings of one path must meet in one name; the last part need not exist yet.
  const canonical = join(realpathSync(dirname(path)), basename(path));
  // An abstract name has 107 bytes. Two paths that share one wait for each other and lose nothing but that time.
  const name = `${crc32(canonical).toString(16)}-${Buffer.from(basename(path)).subarray(-MAX_NAME_BYTES).toString("latin1")}`;
  const server = createServer((socket) => socket.destroy());
  const held = await listening(server, `\0ipcmark-lock-${name}`);
  if (!held) return undefined;
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function listening(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    server.listen({ path, exclusive: true }, () => resolve(true));
  });
}

async function lockByDirectory(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    const descriptor = openSync(dirname(path), fs.O_RDONLY | fs.O_NONBLOCK | O_EXLOCK);
    return async () => closeSync(descriptor);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return undefined;
    throw error;
  }
}
