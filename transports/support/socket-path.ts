import { chmod, link, lstat, readdir, rename, rm } from "node:fs/promises";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { OsObject } from "../contract/transport.ts";

/** `sun_path` without its terminating zero; Node 20 and 22 cut longer paths silently. */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;
/** How long the question "is somebody listening?" may take. */
const PROBE_MS = 1000;
/** Only the owner may connect: on Linux that needs write permission on the path. */
const MODE = 0o600;

let serial = 0;

/** A name beside `path` that no other process uses; {@link socketResidue} finds it by its beginning. */
export function besidePath(path: string): string {
  return `${path}.${process.pid.toString(36)}${(serial++).toString(36)}`;
}

/** @throws IpcError IPC_SYSTEM when the path, with the suffix of {@link besidePath}, does not fit a socket address. */
export function checkSocketPath(path: string, transport: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_PATH_BYTES) return;
  throw new IpcError(
    "IPC_SYSTEM",
    `${transport}: the path ${path} has ${bytes} bytes, a socket address holds ${MAX_PATH_BYTES}; use a shorter directory (TMPDIR)`,
    { transport, errno: "ENAMETOOLONG" },
  );
}

/**
 * Makes `path` free for a server. A stale socket, as a killed server leaves it, is removed; a live server and anything
 * that is not a socket stay. The stale one is moved aside before it is asked a second time, so that a server which
 * starts at the same moment is not evicted: it would be found alive, and is put back.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE, IPC_SYSTEM
 */
export async function claimSocketPath(path: string, transport: string): Promise<void> {
  checkSocketPath(path, transport);
  if (!(await isFreeOrStale(path, transport))) return;
  const aside = besidePath(path);
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return;
    throw toIpcError(error, transport);
  }
  if (await somebodyListens(aside)) {
    // `link` refuses an existing name, so this never replaces yet another server.
    await link(aside, path).catch(() => undefined);
    await rm(aside, { force: true });
    throw inUse(path, transport, "a live server is");
  }
  await rm(aside, { force: true });
}

/** @returns true when a stale socket is there, false when nothing is. */
async function isFreeOrStale(path: string, transport: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    if (!found.isSocket()) throw inUse(path, transport, "something that is not a socket is");
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false;
    throw toIpcError(error, transport);
  }
  if (await somebodyListens(path)) throw inUse(path, transport, "a live server is");
  return true;
}

function inUse(path: string, transport: string, who: string): IpcError {
  return new IpcError("IPC_ADDRESS_IN_USE", `${transport}: ${who} at ${path}; stop it or choose another path`, {
    transport,
    errno: "EADDRINUSE",
  });
}

/** True unless the kernel says that nobody does: a full backlog and a slow answer both mean a live server. */
export function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(PROBE_MS, () => settle(true));
    socket.once("connect", () => settle(true));
    socket.once("error", (error) => settle(!hasErrno(error, "ECONNREFUSED") && !hasErrno(error, "ENOENT")));
  });
}

/** Private to its owner, whatever the umask says. */
export async function restrictSocketPath(path: string): Promise<void> {
  await chmod(path, MODE);
}

/** The path itself and names beside it that a killed server may have left. */
export async function socketResidue(path: string): Promise<readonly OsObject[]> {
  const directory = dirname(path);
  const own = basename(path);
  const names = await readdir(directory).catch(() => [] as string[]);
  const found: OsObject[] = [];
  for (const name of names) {
    if (name !== own && !name.startsWith(`${own}.`)) continue;
    const stat = await lstat(join(directory, name)).catch(() => undefined);
    if (stat) found.push({ kind: "path", name: join(directory, name), mode: stat.mode & 0o777 });
  }
  return found;
}

/** Removes what {@link socketResidue} lists. */
export async function sweepSocketPath(path: string): Promise<void> {
  for (const { name } of await socketResidue(path)) await rm(name, { force: true });
}

function hasErrno(error: unknown, errno: string): boolean {
  return error instanceof Error && "code" in error && error.code === errno;
}
