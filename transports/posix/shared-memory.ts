import { closeSync, fstatSync, ftruncateSync } from "node:fs";
import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { EINTR, errnoError, systemError } from "./errno.ts";
import { lockExclusive } from "./lock.ts";
import { Mapping } from "./mapping.ts";
import { checkName } from "./names.ts";
import { O_CREAT, O_EXCL, O_RDWR } from "./open-flags.ts";

/**
 * A POSIX shared-memory object, mapped: what `/dev/shm/<name>` shows, and what Python's
 * `multiprocessing.shared_memory` opens under the same name without the slash.
 */
export class SharedMemory implements Disposable {
  readonly name: string;
  readonly mapping: Mapping;
  /** Open until `close`, for locks (see lock.ts). */
  readonly fd: number;
  #open = true;

  private constructor(name: string, fd: number, mapping: Mapping) {
    this.name = name;
    this.fd = fd;
    this.mapping = mapping;
  }

  /**
   * Creates a new object of `byteLength` zero bytes, mode 0600, exclusively. All of its memory is reserved now:
   * `ftruncate` alone would succeed on a full file system and end in SIGBUS at the first write.
   *
   * @param options.lock holds an exclusive `flock` on it from before it has a size, for as long as it is open
   * @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SYSTEM (ENOSPC, EINVAL, ENAMETOOLONG, …)
   */
  static create(name: string, byteLength: number, options: { readonly lock?: boolean } = {}): SharedMemory {
    if (!Number.isInteger(byteLength) || byteLength <= 0) {
      throw new IpcError("IPC_SYSTEM", `shared memory ${name}: ${byteLength} is no size: give at least 1 byte`, {
        errno: "EINVAL",
      });
    }
    const fd = openSegment(name, O_CREAT | O_EXCL | O_RDWR);
    try {
      if (options.lock) lockExclusive(fd);
      reserve(fd, byteLength, name);
      return new SharedMemory(name, fd, Mapping.shared(fd, byteLength));
    } catch (error) {
      closeSync(fd);
      SharedMemory.unlink(name);
      throw error;
    }
  }

  /**
   * Attaches to an existing object, all of it.
   *
   * @param minimumBytes refuses smaller ones: an object its creator has not sized yet is empty
   * @throws IpcError IPC_PEER_LOST (ENOENT), IPC_MALFORMED (too small), IPC_SYSTEM (EACCES, …)
   */
  static open(name: string, minimumBytes = 1): SharedMemory {
    const fd = openSegment(name, O_RDWR);
    try {
      const { size } = fstatSync(fd);
      if (size < minimumBytes) {
        throw new IpcError(
          "IPC_MALFORMED",
          `shared memory ${name} has ${size} bytes, expected at least ${minimumBytes}`,
        );
      }
      return new SharedMemory(name, fd, Mapping.shared(fd, size));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Removes the name; mappings live on. @returns whether there was one */
  static unlink(name: string): boolean {
    checkName(name);
    const api = libc();
    if (api.shm_unlink(name) === 0) return true;
    if (api.errno() === constants.errno.ENOENT) return false;
    throw systemError(api, "shm_unlink", name);
  }

  /** Unmaps (see {@link Mapping.close}); the object stays until it is unlinked. Idempotent. */
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

function openSegment(name: string, flags: number): number {
  checkName(name);
  const api = libc();
  const fd = api.shm_open(name, flags, 0o600);
  if (fd < 0) throw systemError(api, "shm_open", name);
  return fd;
}

/** Gives an empty file its size and its memory, or says ENOSPC. */
export function reserve(fd: number, byteLength: number, subject: string): void {
  const api = libc();
  for (let attempt = 0; attempt < 100; attempt++) {
    const failure = api.posix_fallocate(fd, 0, byteLength);
    if (failure === 0) return;
    if (failure === EINTR) continue;
    ftruncateSync(fd, 0);
    throw errnoError(failure, "posix_fallocate", `${subject}, ${byteLength} bytes`);
  }
  throw errnoError(EINTR, "posix_fallocate", subject);
}
