import { created, ERROR_FILE_NOT_FOUND, lastError } from "./errors.ts";
import { type Handle, kernel32, NULL } from "./kernel32.ts";

const SYNCHRONIZE = 0x0010_0000;
const WAIT_OBJECT_0 = 0;
/** Result of a wait that got the mutex of a thread that ended while it had it. */
const WAIT_ABANDONED = 0x80;

/**
 * A name that exists for as long as its process lives, however that ends: Windows closes the handle, and the name goes
 * with it. No process id is involved, so none can be reused. Testers open it for microseconds only.
 */
export class LifeSign implements Disposable {
  #handle: Handle;

  /** @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SYSTEM */
  constructor(name: string) {
    const api = kernel32();
    this.#handle = created(api, api.CreateMutexW(NULL, 0, name), "CreateMutex", name);
  }

  /** True while the process with the sign of this name lives. */
  static isThere(name: string): boolean {
    const api = kernel32();
    const handle = api.OpenMutexW(SYNCHRONIZE, 0, name);
    // Any other failure means that it exists and is not open to us.
    if (handle === NULL) return api.GetLastError() !== ERROR_FILE_NOT_FOUND;
    api.CloseHandle(handle);
    return true;
  }

  close(): void {
    if (this.#handle !== NULL) kernel32().CloseHandle(this.#handle);
    this.#handle = NULL;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Runs `work` while no other process runs work under the same mutex. The mutex of a killed process is free.
 *
 * @returns the result of `work`; undefined when the mutex stayed taken for `limitMs`
 */
export function withMutex<T>(name: string, limitMs: number, work: () => T): { readonly result: T } | undefined {
  const api = kernel32();
  const handle = api.CreateMutexW(NULL, 0, name);
  if (handle === NULL) throw lastError(api, "CreateMutex", name);
  try {
    const outcome = api.WaitForSingleObject(handle, limitMs);
    if (outcome !== WAIT_OBJECT_0 && outcome !== WAIT_ABANDONED) return undefined;
    try {
      return { result: work() };
    } finally {
      api.ReleaseMutex(handle);
    }
  } finally {
    api.CloseHandle(handle);
  }
}
