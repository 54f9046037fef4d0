import { constants } from "node:os";
import { libc } from "./binding.ts";
import { systemError } from "./errno.ts";
import { type CreateOptions, MappedObject, mapExisting, mapNew } from "./mapped-object.ts";
import { checkName } from "./names.ts";
import { O_CREAT, O_EXCL, O_RDWR } from "./open-flags.ts";

/**
 * A mapped POSIX shared-memory object, as in `/dev/shm/<name>`. Python's
 * `multiprocessing.shared_memory` opens under the same name without the slash.
 */
export class SharedMemory extends MappedObject {
  /**
   * Creates a new object of `byteLength` zero bytes, mode 0600, exclusively. Reserves all of its memory now: on a full
   * file system `ftruncate` alone would succeed, and the first write would end in SIGBUS.
   *
   * @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SHORTAGE (ENOSPC, …), IPC_SYSTEM (EINVAL, ENAMETOOLONG, …)
   */
  static create(name: string, byteLength: number, options: CreateOptions = {}): SharedMemory {
    const fd = openSegment(name, O_CREAT | O_EXCL | O_RDWR);
    try {
      return new SharedMemory(name, fd, mapNew(fd, `shared memory ${name}`, byteLength, options));
    } catch (error) {
      SharedMemory.unlink(name);
      throw error;
    }
  }

  /**
   * Maps all of an existing object.
   *
   * @param minimumBytes smallest size accepted: an object that its creator has not sized yet is empty
   * @throws IpcError IPC_PEER_LOST (ENOENT), IPC_MALFORMED (too small), IPC_SYSTEM (EACCES, …)
   */
  static open(name: string, minimumBytes = 1): SharedMemory {
    const fd = openSegment(name, O_RDWR);
    return new SharedMemory(name, fd, mapExisting(fd, `shared memory ${name}`, minimumBytes));
  }

  /** Removes the name; mappings live on. @returns true when there was one */
  static unlink(name: string): boolean {
    checkName(name, 0, "shm_unlink");
    const api = libc();
    if (api.shm_unlink(name) === 0) return true;
    if (api.errno() === constants.errno.ENOENT) return false;
    throw systemError(api, "shm_unlink", name);
  }
}

function openSegment(name: string, flags: number): number {
  checkName(name, 0, "shm_open");
  const api = libc();
  const fd = api.shm_open(name, flags, 0o600);
  if (fd < 0) throw systemError(api, "shm_open", name);
  return fd;
}
