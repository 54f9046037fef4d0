import { libc } from "./binding.ts";
import { EAGAIN, EINTR, systemError } from "./errno.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/**
 * Liveness by `flock`: an owner holds an exclusive lock on the descriptor of a segment, file or queue for as long as it
 * lives. The kernel drops the lock when the process dies, however it dies, also while it is still a zombie; no process
 * id is involved, so none can be reused or belong to another pid namespace.
 */

/** Takes the exclusive lock; waits for testers, which hold it for microseconds. @returns false if an owner has it */
export function tryLockExclusive(fd: number): boolean {
  const api = libc();
  // An owner keeps the lock, but a tester gives it back before a hundred system calls have passed.
  for (let attempt = 0; attempt < 100; attempt++) {
    if (api.flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
    const failure = api.errno();
    if (failure !== EAGAIN && failure !== EINTR) throw systemError(api, "flock", `descriptor ${fd}`);
  }
  return false;
}

/** Number of naps of a millisecond, in case the scheduler stopped a tester that holds the lock. */
const NAPS = 50;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** Does the same as {@link tryLockExclusive}, but waits 50 ms for a stopped tester before it returns false. */
export function tryLockPatiently(fd: number): boolean {
  for (let nap = 0; nap < NAPS; nap++) {
    if (tryLockExclusive(fd)) return true;
    Atomics.wait(cell, 0, 0, 1);
  }
  return tryLockExclusive(fd);
}

/** Does the same as {@link tryLockPatiently} for an object just created, on which only testers can hold the lock. */
export function lockExclusive(fd: number): void {
  if (!tryLockPatiently(fd)) throw systemError(libc(), "flock", `descriptor ${fd}`);
}

/** True while a process holds the exclusive lock through another open of the same object. Takes about a microsecond. */
export function isOwned(fd: number): boolean {
  const api = libc();
  if (api.flock(fd, LOCK_SH | LOCK_NB) !== 0) return api.errno() === EAGAIN;
  api.flock(fd, LOCK_UN);
  return false;
}
