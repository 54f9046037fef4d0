import { closeSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { IpcError } from "../contract/errors.ts";
import { libc } from "../posix/binding.ts";
import { systemError } from "../posix/errno.ts";
import { unixSocket } from "../posix/unix-socket.ts";

const AF_UNIX = 1;
/** Holding it takes a few dozen system calls, so a waiter that sees it busy this long sees something broken. */
const WAIT_LIMIT_MS = 2000;
const RETRY_MS = 1;
/** Of the 107 bytes that an abstract name has. */
const MAX_NAME_BYTES = 40;

/**
 * Runs `work` while no other process does so for the same path. Between "its owner is dead" and "it is ours now" two servers
 * could otherwise both believe that they took over a stale name.
 *
 * The lock is an abstract socket name: the kernel drops it with its owner, and it leaves nothing in the file system.
 */
export function withNameLock<T>(path: string, transport: string, work: () => T): T {
  const name = lockName(path);
  const fd = unixSocket("datagram");
  try {
    const untilMs = performance.now() + WAIT_LIMIT_MS;
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (!bind(fd, name)) {
      if (performance.now() > untilMs) {
        const text = `${transport}: another server has been starting at ${path} for ${WAIT_LIMIT_MS} ms; stop it first`;
        throw new IpcError("IPC_ADDRESS_IN_USE", text, { transport, errno: "EADDRINUSE" });
      }
      Atomics.wait(pause, 0, 0, RETRY_MS);
    }
    return work();
  } finally {
    closeSync(fd);
  }
}

/** @returns false when somebody has that name */
function bind(fd: number, name: string): boolean {
  const api = libc();
  const address = Buffer.from(`\0\0\0${name}`);
  address.writeUInt16LE(AF_UNIX, 0);
  if (api.bind(fd, address, address.length) === 0) return true;
  if (api.errno() === constants.errno.EADDRINUSE) return false;
  throw systemError(api, "bind", name);
}

function lockName(path: string): string {
  const end = basename(path).replaceAll(/[^\w.-]/g, "_");
  // Two paths that share a name wait for each other and lose nothing but that time.
  return `ipcmark-names-${crc32(canonical(path)).toString(16)}-${end.slice(-MAX_NAME_BYTES)}`;
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
