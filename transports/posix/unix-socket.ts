import { closeSync } from "node:fs";
import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { EAGAIN, EINTR, errnoError, systemError } from "./errno.ts";
import { NULL } from "./libc.ts";

const { EINVAL, ENAMETOOLONG } = constants.errno;
const AF_UNIX = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const TYPES = { stream: 1, datagram: 2, seqpacket: 5 } as const;
export type UnixSocketType = keyof typeof TYPES;
/** Longest path: `sun_path` without its final zero. */
const MAX_PATH_BYTES = 107;

export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const POLLIN = 1;
export const POLLOUT = 4;

/** Opens a Unix domain socket, not connected to anything. Close it with `fs.closeSync`. */
export function unixSocket(type: UnixSocketType, nonBlocking = false): number {
  const api = libc();
  const fd = api.socket(AF_UNIX, TYPES[type] | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0), 0);
  if (fd < 0) throw systemError(api, "socket", "AF_UNIX");
  return fd;
}

/** Binds the socket to a new path, mode 0600. @throws IpcError IPC_ADDRESS_IN_USE, IPC_SYSTEM (EACCES, …) */
export function bindPath(fd: number, path: string): void {
  const api = libc();
  const address = socketAddress(path);
  // A worker thread cannot set the mask; there the directory has to keep others out.
  const mask = process.getBuiltinModule("node:worker_threads").isMainThread ? process.umask(0o177) : undefined;
  let failure: IpcError | undefined;
  if (api.bind(fd, address, address.length) !== 0) failure = systemError(api, "bind", path);
  if (mask !== undefined) process.umask(mask);
  if (failure !== undefined) throw failure;
}

export function listenOn(fd: number, backlog: number, path: string): void {
  const api = libc();
  if (api.listen(fd, backlog) !== 0) throw systemError(api, "listen", path);
}

/** @returns false if the queue of newcomers is full (EAGAIN) @throws IpcError IPC_PEER_LOST if nobody listens */
export function connectPath(fd: number, path: string): boolean {
  const api = libc();
  const address = socketAddress(path);
  if (api.connect(fd, address, address.length) === 0) return true;
  const failure = api.errno();
  if (failure === EAGAIN || failure === EINTR) return false;
  throw systemError(api, "connect", path);
}

/** Returns the descriptor of a newcomer, or -1 if none waits (or it has left) and the listener does not block. */
export function acceptOne(fd: number): number {
  const api = libc();
  return api.accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

/** Sets how long blocking `recv` and `send` may take before they fail with EAGAIN. */
export function setSocketTimeouts(fd: number, timeoutMs: number): void {
  const api = libc();
  const value = Buffer.alloc(16);
  value.writeUInt32LE(Math.floor(timeoutMs / 1000), 0);
  value.writeUInt32LE((timeoutMs % 1000) * 1000, 8);
  for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
    if (api.setsockopt(fd, SOL_SOCKET, option, value, value.length) !== 0) {
      throw systemError(api, "setsockopt", `descriptor ${fd}`);
    }
  }
}

/** True if somebody listens on a socket at that path. */
export function isAnswered(path: string, type: UnixSocketType): boolean {
  const fd = unixSocket(type, true);
  try {
    // EAGAIN (a full queue of newcomers) means that somebody listens.
    connectPath(fd, path);
    return true;
  } catch (error) {
    const errno = error instanceof IpcError ? error.errno : undefined;
    if (errno === "ECONNREFUSED" || errno === "ENOENT") return false;
    // A socket of the other type refuses, and so does a datagram socket connected to another; but both are there.
    if (errno === "EPERM" || errno === "EPROTOTYPE") return true;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** @throws IpcError IPC_SYSTEM with errno EINVAL (the path is empty or contains a zero byte) or ENAMETOOLONG */
export function checkSocketAddress(path: string): void {
  const bytes = Buffer.byteLength(path);
  const shown = JSON.stringify(path);
  if (bytes === 0) throw errnoError(EINVAL, "bind", shown, "the path of a socket is empty: give one");
  if (path.includes("\0")) {
    throw errnoError(EINVAL, "bind", shown, "the path has a zero byte inside, where C would end it: leave it out");
  }
  if (bytes <= MAX_PATH_BYTES) return;
  const remedy = `the path has ${bytes} bytes, but may have 1 to ${MAX_PATH_BYTES}: use a shorter directory`;
  throw errnoError(ENAMETOOLONG, "bind", path, remedy);
}

function socketAddress(path: string): Buffer {
  checkSocketAddress(path);
  return Buffer.concat([familyOf(), Buffer.from(path), Buffer.alloc(1)]);
}

function familyOf(): Buffer {
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return family;
}
