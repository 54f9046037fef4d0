import { closeSync, lstatSync, rmSync } from "node:fs";
import { IpcError } from "../contract/errors.ts";
import {
  acceptOne,
  bindPath,
  checkSocketAddress,
  connectPath,
  isAnswered,
  listenOn,
  setSocketTimeouts,
  type UnixSocketType,
  unixSocket,
} from "../posix/unix-socket.ts";
import { type ServedConnection, SLICE_MS } from "../support/blocking-stream.ts";
import type { Doorway } from "../support/blocking-stream-server.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";
import { inUse } from "../support/socket-path.ts";

/** Number of newcomers that the kernel queues; it lowers this to net.core.somaxconn. */
export const BACKLOG = 1024;

/** Listens at a path for a server that blocks. @param open makes a connection of an accepted descriptor and owns it */
export function doorwayAt(
  id: string,
  path: string,
  type: UnixSocketType,
  open: (fd: number) => ServedConnection,
): Doorway {
  const fd = listenAt(id, path, type);
  return {
    fd,
    accept(isFull) {
      // Refuses newcomers beyond the limit: if they stayed in the socket's queue, `poll` would never wait.
      for (let refused = 0; refused < BACKLOG; refused++) {
        const newcomer = acceptOne(fd);
        if (newcomer < 0) return undefined;
        if (!isFull) return open(newcomer);
        closeSync(newcomer);
      }
      return undefined;
    },
    close() {
      rmSync(path, { force: true });
      closeSync(fd);
    },
  };
}

/**
 * Listens at a path, under its lock: between `bind` and `listen` the path looks like that of a killed server.
 *
 * @returns the descriptor, non-blocking
 * @throws IpcError IPC_ADDRESS_IN_USE (a live server, or no socket), IPC_SYSTEM
 */
export function listenAt(id: string, path: string, type: UnixSocketType): number {
  checkSocketAddress(path);
  return withPathLockSync(path, id, () => {
    clearStale(id, path, type);
    const fd = unixSocket(type, true);
    try {
      bindPath(fd, path);
      listenOn(fd, BACKLOG, path);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

function clearStale(id: string, path: string, type: UnixSocketType): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw inUse(id, `${path} is not a socket; choose another path or remove it yourself`);
  if (isAnswered(path, type)) throw inUse(id, `a server is listening at ${path}; stop it first`);
  rmSync(path, { force: true });
}

/** Connects a blocking socket. @throws IpcError IPC_PEER_LOST if nobody listens, IPC_TIMEOUT if nobody accepts */
export function connectBlocking(id: string, path: string, timeoutMs: number, type: UnixSocketType): number {
  const fd = unixSocket(type);
  try {
    setSocketTimeouts(fd, SLICE_MS);
    const untilMs = performance.now() + timeoutMs;
    // The time-outs above limit each attempt while the server's accept queue is full.
    while (!connectPath(fd, path)) {
      if (performance.now() < untilMs) continue;
      throw new IpcError("IPC_TIMEOUT", `${id}: the server at ${path} did not accept the connection in time`, {
        transport: id,
      });
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
