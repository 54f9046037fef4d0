// SPDX-License-Identifier: MIT-0 (copy, change and use it without conditions)
// Files for both ends. A file appears under its name whole or not at all, because renaming is one step.
import { constants, watch } from "node:fs";
import { open, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export const MAX_BYTES = 1024 * 1024;
const LOOK_MS = 200;

export async function put(path, bytes) {
  if (bytes.length > MAX_BYTES) throw new RangeError(`${bytes.length} bytes; the limit is ${MAX_BYTES}`);
  const unfinished = join(dirname(path), `.${process.pid}.tmp`); // the same folder, so the same file system
  await writeFile(unfinished, bytes, { mode: 0o600 });
  await rename(unfinished, path);
}

/** Reads a file of at most so many bytes; no link is followed, so nobody can pass a file of this user for a message. */
export async function take(path) {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > MAX_BYTES) throw new Error("no file, or too long");
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * Calls `look` when something happens in a folder, and every 200 ms: notices may get lost, and network file systems
 * have none. @returns a function that ends this
 */
export function onChange(folder, look) {
  const watcher = watch(folder, look);
  watcher.on("error", () => {});
  const timer = setInterval(look, LOOK_MS);
  return () => {
    watcher.close();
    clearInterval(timer);
  };
}
