import { chmodSync, lstatSync, rmSync, unlinkSync } from "node:fs";
import type { Server as NetServer } from "node:net";
import { isMainThread } from "node:worker_threads";
import { IpcError } from "../contract/errors.ts";
import type { OsObject } from "../contract/transport.ts";
import { isListening } from "./stream-client.ts";

/** Newcomers the kernel keeps while we are busy; it lowers the figure to net.core.somaxconn. */
const BACKLOG = 1024;
/** `sun_path` without its final zero. Node 20 and 22 cut a longer path silently, so it is checked here. */
export const MAX_PATH_BYTES: number = process.platform === "darwin" ? 103 : 107;

/** @throws IpcError IPC_SYSTEM with errno ENAMETOOLONG. */
export function checkPath(transport: string, path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_PATH_BYTES) return;
  const message = `${transport}: the path ${path} has ${bytes} bytes, a socket's may have ${MAX_PATH_BYTES}; use a shorter directory`;
  throw new IpcError("IPC_SYSTEM", message, { transport, errno: "ENAMETOOLONG" });
}

/** Removes a socket nobody answers at. @throws IpcError IPC_ADDRESS_IN_USE for a live server and for anything else. */
export async function clearStalePath(transport: string, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const inUse = (what: string): IpcError => new IpcError("IPC_ADDRESS_IN_USE", `${transport}: ${what}`, { transport });
  if (!found.isSocket()) throw inUse(`${path} is not a socket; choose another path or remove it yourself`);
  if (await isListening({ path })) throw inUse(`a server is listening at ${path}`);
  // Forced, because its owner may have been closing just now and have removed it itself.
  rmSync(path, { force: true });
}

/** The socket is born with mode 0600: the mask is in force while `bind`, which Node calls synchronously, creates it. */
export async function listenPrivately(listener: NetServer, path: string): Promise<void> {
  const bound = new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.once("listening", () => {
      listener.off("error", reject);
      resolve();
    });
  });
  // A worker thread cannot set the mask; there only the private directory and the chmod below protect the path.
  const mask = isMainThread ? process.umask(0o177) : undefined;
  try {
    listener.listen({ path, backlog: BACKLOG, exclusive: true });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  await bound;
  chmodSync(path, 0o600);
}

/** The socket at a path, if there is one. */
export function pathResidue(path: string): readonly OsObject[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined ? [] : [{ kind: "path", name: path, mode: found.mode & 0o777 }];
}

/** Removes a socket; anything else at that path is not ours. */
export function sweepPath(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
}
