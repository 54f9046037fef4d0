import { constants } from "node:os";
import { libc } from "./binding.ts";
import { errnoError, systemError } from "./errno.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
/** Values are 64 bits wide, the parameter of the C function 32. */
const LARGEST_INITIAL = 2 ** 32 - 1;

/**
 * Opens a kernel counter, non-blocking: `fs.writeSync(fd, u64)` adds, `fs.readSync` of 8 bytes takes all or throws
 * EAGAIN. Close it with `fs.closeSync`.
 *
 * @throws IpcError IPC_SYSTEM (EINVAL), IPC_SHORTAGE (EMFILE)
 */
export function eventfd(initial = 0): number {
  if (!Number.isInteger(initial) || initial < 0 || initial > LARGEST_INITIAL) {
    const remedy = `that is no count: give a whole number from 0 to ${LARGEST_INITIAL}`;
    throw errnoError(constants.errno.EINVAL, "eventfd", String(initial), remedy);
  }
  const api = libc();
  const fd = api.eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw systemError(api, "eventfd", String(initial));
  return fd;
}
