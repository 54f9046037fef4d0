import type { Handle, Kernel32 } from "../kernel32.ts";

const PAGE_BYTES = 4096;
const NOT_FOUND = 2;
const INVALID_HANDLE = 6;
const EXISTS = 183;
const TIMEOUT = 258;

interface KernelObject {
  readonly kind: string;
  readonly name: string;
  readonly memory: ArrayBuffer;
  count: number;
}

/** Returns memory whose views stay when one of them is detached, as those of foreign memory do. */
function memoryOf(bytes: number): ArrayBuffer {
  return Object.assign(new SharedArrayBuffer(bytes), { transfer: () => undefined }) as never;
}

/**
 * Named objects as Windows keeps them, in this process: one name space for all kinds, and a name that is there as long
 * as a handle is. Handles belong to the process named by `running`, and `kill` closes those of one process.
 */
export class FakeKernel32 {
  running = "test";
  readonly #handles = new Map<Handle, { readonly object: KernelObject; readonly process: string }>();
  readonly #views = new Map<Handle, ArrayBuffer>();
  #next = 4;
  #error = 0;

  kill(process: string): void {
    for (const [handle, held] of this.#handles) if (held.process === process) this.#handles.delete(handle);
  }

  /** Names of all objects. */
  get names(): string[] {
    return [...new Set([...this.#handles.values()].map(({ object }) => object.name))];
  }

  #open(object: KernelObject): Handle {
    this.#next += 4;
    this.#handles.set(this.#next, { object, process: this.running });
    return this.#next;
  }

  #find(kind: string, name: string): Handle {
    const found = [...this.#handles.values()].find(({ object }) => object.name === name)?.object;
    this.#error = found === undefined ? NOT_FOUND : found.kind === kind ? EXISTS : INVALID_HANDLE;
    return found?.kind === kind ? this.#open(found) : 0;
  }

  #create(kind: string, name: string | null, bytes = 0): Handle {
    const found = this.#find(kind, name ?? "");
    if (found !== 0 || this.#error !== NOT_FOUND) return found;
    this.#error = 0;
    return this.#open({ kind, name: name ?? "", memory: memoryOf(bytes), count: 0 });
  }

  #object(handle: Handle): KernelObject {
    const held = this.#handles.get(handle);
    if (held === undefined) throw new Error(`handle ${handle} is closed`);
    return held.object;
  }

  readonly functions: Partial<Kernel32> = {
    GetLastError: () => this.#error,
    CloseHandle: (handle) => (this.#handles.delete(handle) ? 1 : 0),
    CreateFileMappingW: (_file, _security, _protection, _high, bytes, name) =>
      this.#create("section", name, Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES),
    OpenFileMappingW: (_access, _inherit, name) => this.#find("section", name ?? ""),
    MapViewOfFile: (handle) => {
      this.#views.set(handle, this.#object(handle).memory);
      return handle;
    },
    VirtualQuery: (address, information) => {
      const bytes = BigInt(this.#views.get(address)?.byteLength ?? 0);
      new DataView(information.buffer).setBigUint64(24, bytes, true);
      return information.length;
    },
    UnmapViewOfFile: (address) => (this.#views.delete(address) ? 1 : 0),
    view: (address) => this.#views.get(address) as ArrayBuffer,
    CreateMutexW: (_security, _owned, name) => this.#create("mutex", name),
    OpenMutexW: (_access, _inherit, name) => this.#find("mutex", name ?? ""),
    ReleaseMutex: () => 1,
    CreateSemaphoreW: (_security, _first, _most, name) => this.#create("semaphore", name),
    OpenSemaphoreW: (_access, _inherit, name) => this.#find("semaphore", name ?? ""),
    ReleaseSemaphore: (handle) => ++this.#object(handle).count && 1,
    WaitForSingleObject: (handle) => {
      const object = this.#object(handle);
      if (object.kind === "mutex") return 0;
      if (object.count === 0) return TIMEOUT;
      object.count--;
      return 0;
    },
  };
}
