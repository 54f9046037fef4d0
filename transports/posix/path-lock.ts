import { closeSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { IpcError } from "../contract/errors.ts";
import { bindAbstract, unixSocket } from "./unix-socket.ts";

/** Holding it takes a few dozen system calls, so a waiter that sees it busy this long sees something broken. */
const WAIT_LIMIT_MS = 2000;
const RETRY_MS = 1;
const MAX_NAME_BYTES = 40;

/**
 * As `withPathLock` of support/path-lock.ts, with which it shares the name of the lock, for callers that may not wait in
 * an event loop: who listens in blocking mode keeps out who listens at the same path in event mode, and the other way round.
 * The path may be that of a segment as well as of a socket.
 */
export function withPathLockSync<T>(path: string, transport: string, work: () => T): T {
  const name = lockName(path);
  const fd = unixSocket("stream");
  try {
    const untilMs = performance.now() + WAIT_LIMIT_MS;
    while (!bindAbstract(fd, name)) {
      if (performance.now() > untilMs) {
        const message = `${transport}: another server has been starting at ${path} for ${WAIT_LIMIT_MS} ms; stop it first`;
        throw new IpcError("IPC_ADDRESS_IN_USE", message, { transport, errno: "EADDRINUSE" });
      }
      sleep(RETRY_MS);
    }
    return work();
  } finally {
    closeSync(fd);
  }
}

function lockName(path: string): string {
  const end = Buffer.from(basename(path)).subarray(-MAX_NAME_BYTES).toString("latin1");
  // Two paths that share a name wait for each other and lose nothing but that time.
  return `ipcmark-lock-${crc32(canonical(path)).toString(16)}-${end}`;
}

/** Two spellings of a path in one; its last part need not exist. */
export function canonical(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    // A directory that is not there: whoever uses it will say so.
    return resolve(path);
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
