import { IpcError } from "../contract/errors.ts";
import { created, lastError } from "./errors.ts";
import { type Handle, type Kernel32, kernel32, NULL } from "./kernel32.ts";

const LARGEST_VALUE = 2 ** 31 - 1;
/** Rights to wait (SYNCHRONIZE) and to post (SEMAPHORE_MODIFY_STATE). */
const WAIT_AND_POST = 0x0010_0002;
const WAIT_OBJECT_0 = 0;
const WAIT_TIMEOUT = 258;
/** Longest wait of `waitSlice`, as that of the POSIX semaphore. */
const SLICE_MS = 50;

/** A named semaphore. Its name vanishes with its last handle, so none is ever left behind. */
export class Semaphore implements Disposable {
  readonly name: string;
  readonly #api: Kernel32;
  readonly #handle: Handle;
  #open = true;

  private constructor(name: string, api: Kernel32, handle: Handle) {
    this.name = name;
    this.#api = api;
    this.#handle = handle;
  }

  /** Creates a semaphore with the value 0, exclusively. @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SYSTEM */
  static create(name: string): Semaphore {
    const api = kernel32();
    const handle = api.CreateSemaphoreW(NULL, 0, LARGEST_VALUE, name);
    return new Semaphore(name, api, created(api, handle, "CreateSemaphore", name));
  }

  /** @throws IpcError IPC_PEER_LOST (ENOENT), IPC_SYSTEM (EACCES, …) */
  static open(name: string): Semaphore {
    const api = kernel32();
    const handle = api.OpenSemaphoreW(WAIT_AND_POST, 0, name);
    if (handle === NULL) throw lastError(api, "OpenSemaphore", name);
    return new Semaphore(name, api, handle);
  }

  /** Adds one and wakes a waiter. @throws IpcError IPC_SYSTEM (EOVERFLOW) */
  post(): void {
    this.#check();
    if (this.#api.ReleaseSemaphore(this.#handle, 1, NULL) === 0) {
      throw lastError(this.#api, "ReleaseSemaphore", this.name);
    }
  }

  /** Takes one within `timeoutMs` (at most 24 days; 0 or less: does not wait). @returns false after that */
  wait(timeoutMs: number): boolean {
    this.#check();
    const ms = timeoutMs > 0 ? Math.min(Math.ceil(timeoutMs), LARGEST_VALUE) : 0;
    const result = this.#api.WaitForSingleObject(this.#handle, ms);
    if (result === WAIT_OBJECT_0) return true;
    if (result === WAIT_TIMEOUT) return false;
    throw lastError(this.#api, "WaitForSingleObject", this.name);
  }

  /** Does the same as `wait` for 50 ms. */
  waitSlice(): boolean {
    return this.wait(SLICE_MS);
  }

  /** Closes this end. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#api.CloseHandle(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Throws if closed: Windows may have given the same handle to another object. */
  #check(): void {
    if (!this.#open) throw new IpcError("IPC_CLOSED", `semaphore ${this.name} is closed`);
  }
}
