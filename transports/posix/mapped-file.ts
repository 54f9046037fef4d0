import { openSync, unlinkSync } from "node:fs";
import { toIpcError } from "../contract/errors.ts";
import { errnoError } from "./errno.ts";
import { type CreateOptions, MappedObject, mapExisting, mapNew } from "./mapped-object.ts";
import { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } from "./open-flags.ts";

/** A mapped regular file. It works like {@link SharedMemory}, but has a path, on any file system. */
export class MappedFile extends MappedObject {
  /** As `SharedMemory.create`. @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SHORTAGE, IPC_SYSTEM (EACCES, …) */
  static create(path: string, byteLength: number, options: CreateOptions = {}): MappedFile {
    const fd = openFile(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW);
    try {
      return new MappedFile(path, fd, mapNew(fd, path, byteLength, options));
    } catch (error) {
      MappedFile.unlink(path);
      throw error;
    }
  }

  /** As `SharedMemory.open`. @throws IpcError IPC_PEER_LOST (ENOENT), IPC_MALFORMED (too small, or no regular file) */
  static open(path: string, minimumBytes = 1): MappedFile {
    const fd = openFile(path, O_RDWR | O_NOFOLLOW);
    return new MappedFile(path, fd, mapExisting(fd, path, minimumBytes));
  }

  /** Removes the file; mappings live on. @returns false if there was none */
  static unlink(path: string): boolean {
    try {
      unlinkSync(path);
      return true;
    } catch (error) {
      const failure = toIpcError(error, "mapped file");
      if (failure.errno === "ENOENT") return false;
      throw failure;
    }
  }
}

function openFile(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    // Node's own errors carry the negated number and no remedy.
    const { errno } = error as { errno?: number };
    throw errno === undefined ? toIpcError(error, "mapped file") : errnoError(-errno, "open", path);
  }
}
