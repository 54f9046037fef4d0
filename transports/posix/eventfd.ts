import { libc } from "./binding.ts";
import { systemError } from "./errno.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/**
 * A kernel counter behind a descriptor, non-blocking: `fs.writeSync(fd, u64)` adds, `fs.readSync` of 8 bytes takes all or
 * throws EAGAIN. Close it with `fs.closeSync`.
 */
export function eventfd(initial = 0): number {
  const api = libc();
  const fd = api.eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw systemError(api, "eventfd", String(initial));
  return fd;
}
