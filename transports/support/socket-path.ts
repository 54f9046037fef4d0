import { chmodSync, lstatSync, rmSync, unlinkSync } from "node:fs";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { OsObject } from "../contract/transport.ts";
import { lockResidue, sweepLocks, withPathLock } from "./path-lock.ts";
import { checkSocketPath } from "./socket-path-limit.ts";
import { isListening } from "./stream-client.ts";

/**
 * Runs `listen`, which creates a socket at `path`, while no other server of ours starts there. First removes a socket
 * that a killed server left. Does not touch a live server, or anything that is not a socket.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE, IPC_SYSTEM
 */
export async function listenAtPath<T>(path: string, transport: string, listen: () => Promise<T>): Promise<T> {
  checkSocketPath(path, transport);
  try {
    return await withPathLock(path, transport, async () => {
      await clearStalePath(path, transport);
      const server = await listen();
      // For libraries that bind in a later turn, without our mask. Up to here the directory protects the socket.
      chmodSync(path, 0o600);
      return server;
    });
  } catch (error) {
    throw toIpcError(error, transport);
  }
}

async function clearStalePath(path: string, transport: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw inUse(transport, `${path} is not a socket; choose another path or remove it yourself`);
  if (await isListening({ path })) throw inUse(transport, `a server is listening at ${path}; stop it first`);
  unlinkSync(path);
}

/** @param what states what is at the address, and what to do about it */
export function inUse(transport: string, what: string, cause?: unknown): IpcError {
  return new IpcError("IPC_ADDRESS_IN_USE", `${transport}: ${what}`, { transport, errno: "EADDRINUSE", cause });
}

/**
 * Runs `bind` such that only the owner may connect (mode 0600). `bind` must create its socket before it returns.
 * A worker thread cannot set the mask of the process; there only the private directory protects the path.
 */
export function bindPrivately<T>(bind: () => T): T {
  // Loaded here, since a client has no use for it and loading takes 3 ms.
  const mask = process.getBuiltinModule("node:worker_threads").isMainThread ? process.umask(0o177) : undefined;
  try {
    return bind();
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
}

/** @throws IpcError IPC_SYSTEM (ENAMETOOLONG, EACCES, …) */
export function pathResidue(path: string, transport = "socket path"): readonly OsObject[] {
  return pathsResidue([path], transport);
}

/** Does the same as {@link pathResidue} for several paths in one directory. */
export function pathsResidue(paths: readonly string[], transport: string): readonly OsObject[] {
  try {
    const sockets = paths.flatMap((name): OsObject[] => {
      const found = lstatSync(name, { throwIfNoEntry: false });
      return found === undefined ? [] : [{ kind: "path", name, mode: found.mode & 0o777 }];
    });
    return [...sockets, ...lockResidue(...paths)];
  } catch (error) {
    throw toIpcError(error, transport);
  }
}

/** Removes a socket and the remains of its lock; nothing else at the path. @throws IpcError as `removeSocket` */
export async function sweepPath(path: string, transport = "socket path"): Promise<void> {
  await sweepPaths([path], transport);
}

/** Does the same as {@link sweepPath} for several paths in one directory. */
export async function sweepPaths(paths: readonly string[], transport: string): Promise<void> {
  for (const path of paths) removeSocket(path, transport);
  await sweepLocks(...paths);
}

/** Removes a socket; does not touch anything else at the path. @throws IpcError IPC_SYSTEM (EPERM, EACCES, …) */
export function removeSocket(path: string, transport = "socket path"): void {
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path, { force: true });
  } catch (error) {
    throw toIpcError(error, transport);
  }
}
