import { closeSync, fstatSync, openSync, unlinkSync } from "node:fs";
import { IpcError, toIpcError } from "../contract/errors.ts";
import { lockExclusive } from "./lock.ts";
import { Mapping } from "./mapping.ts";
import { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } from "./open-flags.ts";
import { reserve } from "./shared-memory.ts";

/** A mapped regular file: the same as {@link SharedMemory}, under a path, on whatever file system that lies. */
export class MappedFile implements Disposable {
  readonly name: string;
  readonly mapping: Mapping;
  readonly fd: number;
  #open = true;

  private constructor(name: string, fd: number, mapping: Mapping) {
    this.name = name;
    this.fd = fd;
    this.mapping = mapping;
  }

  /** As `SharedMemory.create`. @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SYSTEM (ENOSPC, EACCES, …) */
  static create(path: string, byteLength: number, options: { readonly lock?: boolean } = {}): MappedFile {
    const fd = openFile(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW);
    try {
      if (options.lock) lockExclusive(fd);
      reserve(fd, byteLength, path);
      return new MappedFile(path, fd, Mapping.shared(fd, byteLength));
    } catch (error) {
      closeSync(fd);
      MappedFile.unlink(path);
      throw error;
    }
  }

  /** As `SharedMemory.open`. @throws IpcError IPC_PEER_LOST (ENOENT), IPC_MALFORMED (too small, or no regular file) */
  static open(path: string, minimumBytes = 1): MappedFile {
    const fd = openFile(path, O_RDWR | O_NOFOLLOW);
    try {
      const status = fstatSync(fd);
      if (!status.isFile() || status.size < minimumBytes) {
        throw new IpcError(
          "IPC_MALFORMED",
          `${path} has ${status.size} bytes, expected a file of at least ${minimumBytes}`,
        );
      }
      return new MappedFile(path, fd, Mapping.shared(fd, status.size));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** @returns whether there was one */
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

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.mapping.close();
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openFile(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    throw toIpcError(error, "mapped file");
  }
}
