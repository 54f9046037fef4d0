import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { IpcError } from "../contract/errors.ts";
import type { Layout } from "./names.ts";

/*
 * Synchronous on purpose: `send` must return once the message is in its folder, and a full disk must be an error of
 * that very call. Each call takes tens of microseconds; a trip through the thread pool costs more.
 */

let serial = 0;

/**
 * Makes `content` appear at `target` whole or not at all: temporary file, optional fsync, rename.
 *
 * @throws the system's error (ENOSPC, ENOENT …), and then leaves nothing behind
 */
export function dropFile(layout: Layout, target: string, content: Uint8Array | string, fsync: boolean): void {
  serial += 1;
  const temporary = join(layout.temporary, `${process.pid}-${process.hrtime.bigint()}-${serial}`);
  const descriptor = openSync(temporary, "wx", 0o600);
  try {
    try {
      writeAll(descriptor, typeof content === "string" ? Buffer.from(content, "utf8") : content);
      if (fsync) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, target);
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
  if (fsync) syncDirectory(dirname(target));
}

/** Writes everything. On a nearly full disk a write may be short without an error; the next one then fails. */
export function writeAll(descriptor: number, content: Uint8Array): void {
  let written = 0;
  while (written < content.length) written += writeSync(descriptor, content, written);
}

function syncDirectory(path: string): void {
  // Windows cannot open a directory as a file, and its rename is journalled.
  if (process.platform === "win32") return;
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const READ_FLAGS: number = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a regular file.
 *
 * @throws IpcError IPC_TOO_LARGE before it allocates, IPC_MALFORMED for anything but a regular file; system errors
 */
export function readWhole(path: string, maxBytes: number, transport: string): Buffer {
  const descriptor = openSync(path, READ_FLAGS);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new IpcError("IPC_MALFORMED", `${transport}: ${path} is not a file`, { transport });
    if (status.size > maxBytes) {
      const message = `${transport}: ${path} has ${status.size} bytes; the limit is ${maxBytes}`;
      throw new IpcError("IPC_TOO_LARGE", message, { transport });
    }
    const content = Buffer.allocUnsafe(status.size);
    let length = 0;
    while (length < content.length) {
      const count = readSync(descriptor, content, length, content.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return content.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

export function makeFolders(layout: Layout): void {
  for (const path of [layout.temporary, layout.requests, layout.responses]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

/** Removes the empty folders; files that wait for a successor stay. */
export function removeEmptyFolders(layout: Layout): void {
  for (const path of [layout.temporary, layout.requests, layout.responses, layout.base]) {
    try {
      rmdirSync(path);
    } catch {
      // Not empty, not there, or in use: it is not ours to remove.
    }
  }
}

/** Returns the names in a folder; none when it does not exist. */
export function listNames(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/**
 * Removes a path that others left: a file, or a folder with the name of one. Skips paths that cannot be removed, such
 * as a mount point or another user's folder.
 *
 * @returns false if the path still exists
 */
export function removeAnything(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}

/** Removes a mailbox. Never throws, because it is called when a connection ends; the server's sweeper tries again. */
export function removeMailbox(path: string): void {
  try {
    removeFolder(path);
  } catch {
    // The mailbox stays for the sweeper.
  }
}

/** Options of a removal. It retries, since Windows keeps the name of a removed file while a process has it open. */
const REMOVAL = { recursive: true, force: true, maxRetries: 8, retryDelay: 50 } as const;

export function removeFolder(path: string): void {
  rmSync(path, REMOVAL);
}

/** Removes a folder with any number of files. The process can still handle signals meanwhile. */
export function removeLargeFolder(path: string): Promise<void> {
  return rm(path, REMOVAL);
}

export function isGone(error: unknown): boolean {
  return errnoOf(error) === "ENOENT";
}

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
