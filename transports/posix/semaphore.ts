import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { EAGAIN, EINTR, ETIMEDOUT, errnoError, systemError } from "./errno.ts";
import { type Libc, NULL, type Pointer } from "./libc.ts";
import { checkName } from "./names.ts";
import { O_CREAT, O_EXCL } from "./open-flags.ts";
import { type Deadlines, deadlines } from "./timespec.ts";

const CLOCK_MONOTONIC = 1;
const { EINVAL } = constants.errno;
const LARGEST_VALUE = 2 ** 31 - 1;
/** Bytes that the C library adds: it stores `/name` as `/dev/shm/sem.name`. */
const PREFIX_BYTES = "sem.".length;

/** A named POSIX semaphore: `_multiprocessing.SemLock` in Python and `sem_open` in C reach it by the same name. */
export class Semaphore implements Disposable {
  readonly name: string;
  readonly #libc: Libc;
  readonly #deadlines: Deadlines;
  #pointer: Pointer;
  #open = true;

  private constructor(name: string, api: Libc, pointer: Pointer) {
    this.name = name;
    this.#libc = api;
    this.#deadlines = deadlines();
    this.#pointer = pointer;
  }

  /** Creates a semaphore, mode 0600, exclusively. @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SYSTEM */
  static create(name: string, value = 0): Semaphore {
    return Semaphore.#openNamed(name, O_CREAT | O_EXCL, value);
  }

  /** @throws IpcError IPC_PEER_LOST (ENOENT), IPC_SYSTEM (EACCES, …) */
  static open(name: string): Semaphore {
    return Semaphore.#openNamed(name, 0, 0);
  }

  static #openNamed(name: string, flags: number, value: number): Semaphore {
    checkName(name, PREFIX_BYTES, "sem_open");
    const api = libc();
    if (!Number.isInteger(value) || value < 0 || value > LARGEST_VALUE) {
      throw errnoError(
        EINVAL,
        "sem_open",
        name,
        `${value} is no count: give a whole number from 0 to ${LARGEST_VALUE}`,
      );
    }
    const pointer = api.sem_open(name, flags, 0o600, value);
    // Failure is a null pointer here, not -1.
    if (pointer === NULL) throw systemError(api, "sem_open", name);
    return new Semaphore(name, api, pointer);
  }

  /** Removes the name. @returns false if there was none */
  static unlink(name: string): boolean {
    checkName(name, PREFIX_BYTES, "sem_unlink");
    const api = libc();
    if (api.sem_unlink(name) === 0) return true;
    if (api.errno() === constants.errno.ENOENT) return false;
    throw systemError(api, "sem_unlink", name);
  }

  /** Adds one and wakes a waiter. */
  post(): void {
    this.#check();
    if (this.#libc.sem_post(this.#pointer) !== 0) throw systemError(this.#libc, "sem_post", this.name);
  }

  /** Takes one if the value is above 0. @returns false otherwise */
  tryWait(): boolean {
    this.#check();
    if (this.#libc.sem_trywait(this.#pointer) === 0) return true;
    const failure = this.#libc.errno();
    if (failure === EAGAIN || failure === EINTR) return false;
    throw systemError(this.#libc, "sem_trywait", this.name);
  }

  /** Takes one within `timeoutMs` (Infinity: waits for ever; 0 or less: does not wait). @returns false after that */
  wait(timeoutMs: number): boolean {
    this.#check();
    this.#deadlines.setMonotonic(timeoutMs);
    // The deadline is absolute, so repeated waits end at the same moment, which bounds the loop.
    for (;;) {
      if (this.#libc.sem_clockwait(this.#pointer, CLOCK_MONOTONIC, this.#deadlines.monotonic) === 0) return true;
      const failure = this.#libc.errno();
      if (failure === ETIMEDOUT) return false;
      if (failure !== EINTR) throw systemError(this.#libc, "sem_clockwait", this.name);
    }
  }

  /** Does the same as `wait`, but waits between 0 and 50 ms, without reading a clock: for loops that retry anyway. */
  waitSlice(): boolean {
    this.#check();
    if (this.#libc.sem_clockwait(this.#pointer, CLOCK_MONOTONIC, this.#deadlines.monotonicSlice) === 0) return true;
    const failure = this.#libc.errno();
    if (failure === ETIMEDOUT) this.#deadlines.renewSlices();
    else if (failure !== EINTR) throw systemError(this.#libc, "sem_clockwait", this.name);
    return false;
  }

  /** Closes this end; the semaphore itself stays until it is unlinked. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#libc.sem_close(this.#pointer) !== 0) throw systemError(this.#libc, "sem_close", this.name);
    this.#pointer = NULL;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Throws if closed: `sem_close` has unmapped the memory, so using the pointer would crash the process. */
  #check(): void {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `semaphore ${this.name} is closed`);
  }
}
