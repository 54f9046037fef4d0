import { closeSync } from "node:fs";
import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { systemError } from "./errno.ts";
import { MappedObject, mapExisting, mapNew } from "./mapped-object.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** From Linux 6.3 on; some systems refuse files without it (vm.memfd_noexec), older ones refuse the flag. */
const MFD_NOEXEC_SEAL = 8;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
/** Seals after which the size is fixed for all processes, so that no access to the mapping ends in SIGBUS. */
const FIXED_SIZE = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

/**
 * Mapped memory without a name: memfd_create(2). Other processes get it by its descriptor (descriptor-passing.ts). It
 * vanishes with the last descriptor and mapping, however their processes end. Its size cannot change.
 */
export class MemoryFile extends MappedObject {
  /**
   * Creates zeroed memory, all of it reserved, and seals its size.
   *
   * @param label shown in /proc/<pid>/maps
   * @throws IpcError IPC_SHORTAGE (EMFILE, ENOMEM, …), IPC_SYSTEM (EINVAL, ENOSYS, …)
   */
  static create(label: string, byteLength: number): MemoryFile {
    const fd = openMemory(label);
    const mapping = mapNew(fd, `memory file ${label}`, byteLength, {});
    const file = new MemoryFile(label, fd, mapping);
    const api = libc();
    if (api.fcntl(fd, F_ADD_SEALS, FIXED_SIZE) === 0) return file;
    const failure = systemError(api, "fcntl", `F_ADD_SEALS, memory file ${label}`);
    file.close();
    throw failure;
  }

  /**
   * Maps the memory of a descriptor that another process passed. Its seals and size are read first, since another
   * process could shrink memory without seals under our mapping.
   *
   * @param fd owned by the result; closed on failure
   * @throws IpcError IPC_MALFORMED (no memory file, not sealed, another size)
   */
  static adopt(fd: number, byteLength: number): MemoryFile {
    const api = libc();
    const seals = api.fcntl(fd, F_GET_SEALS, 0);
    if (seals < 0 || (seals & FIXED_SIZE) !== FIXED_SIZE) {
      closeSync(fd);
      const found = seals < 0 ? "no memory file" : "not sealed";
      throw new IpcError("IPC_MALFORMED", `the descriptor passed is ${found}: seal its size before passing it`);
    }
    const file = new MemoryFile("passed memory", fd, mapExisting(fd, "passed memory", byteLength));
    if (file.mapping.byteLength === byteLength) return file;
    const found = file.mapping.byteLength;
    file.close();
    throw new IpcError("IPC_MALFORMED", `the memory passed has ${found} bytes, expected ${byteLength}`);
  }
}

function openMemory(label: string): number {
  const api = libc();
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  let fd = api.memfd_create(label, flags | MFD_NOEXEC_SEAL);
  if (fd < 0 && api.errno() === constants.errno.EINVAL) fd = api.memfd_create(label, flags);
  if (fd < 0) throw systemError(api, "memfd_create", label);
  return fd;
}
