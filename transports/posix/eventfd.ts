import { constants } from "node:os";
import { libc } from "./binding.ts";
import { errnoError, systemError } from "./errno.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
/** Largest initial value: the C function takes 32 bits, although the counter has 64. */
const LARGEST_INITIAL = 2 ** 32 - 1;

/**
 * Opens a kernel counter, non-blocking. `fs.writeSync(fd, u64)` adds to it; `fs.readSync` of 8 bytes reads and clears
 * it, or throws EAGAIN if it is 0. Close it with `fs.closeSync`.
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
