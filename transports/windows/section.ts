import { unlinkSync } from "node:fs";
import { toNamespacedPath } from "node:path";
import { IpcError } from "../contract/errors.ts";
import type { SharedView } from "../posix/mapping.ts";
import { created, ERROR_FILE_INVALID, lastError, windowsError } from "./errors.ts";
import { type Handle, INVALID_HANDLE, type Kernel32, kernel32, NULL } from "./kernel32.ts";

const PAGE_READWRITE = 4;
/** Rights to read and write a view: FILE_MAP_WRITE includes reading. */
const FILE_MAP_WRITE = 2;
const FILE_MAP_READ = 4;
const GENERIC_READ_WRITE = 0xc000_0000;
const CREATE_NEW = 1;
const OPEN_EXISTING = 3;
const FILE_ATTRIBUTE_NORMAL = 0x80;
/** The file itself and not where a link leads. */
const FILE_FLAG_OPEN_REPARSE_POINT = 0x0020_0000;
/** Others may read and write, but not delete: so a file can be deleted only when nobody has it open. */
const SHARE_READ_WRITE = 3;
/** Bytes of MEMORY_BASIC_INFORMATION on 64-bit Windows, and where it has the size of the region. */
const INFORMATION_BYTES = 48;
const REGION_BYTES_AT = 24;

/** All of a section, mapped. `close` detaches the views before it unmaps, as that of a POSIX mapping. */
class View implements SharedView {
  readonly byteLength: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly #api: Kernel32;
  readonly #address: Handle;
  #buffer: ArrayBuffer | undefined;

  constructor(api: Kernel32, address: Handle) {
    const information = new Uint8Array(INFORMATION_BYTES);
    api.VirtualQuery(address, information, INFORMATION_BYTES);
    this.byteLength = Number(new DataView(information.buffer).getBigUint64(REGION_BYTES_AT, true));
    this.#api = api;
    this.#address = address;
    this.#buffer = api.view(address, this.byteLength);
    this.bytes = new Uint8Array(this.#buffer);
    this.words = new Int32Array(this.#buffer);
  }

  get closed(): boolean {
    return this.#buffer === undefined;
  }

  /** Does nothing: pages are mapped as they are touched. */
  populate(): void {}

  pointer(offset = 0): Handle {
    return this.#address + offset;
  }

  close(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#buffer = undefined;
    buffer.transfer(0);
    this.#api.UnmapViewOfFile(this.#address);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Memory that processes share by a name (`Local\…`, valid in the session of one user) or by the path of a file. The
 * name vanishes with the last handle. The file stays, and cannot be deleted while a process has it open here.
 */
export class Section implements Disposable {
  /** The memory, up to the end of its last page. */
  readonly mapping: SharedView;
  readonly #api: Kernel32;
  readonly #handles: readonly Handle[];

  private constructor(api: Kernel32, subject: string, ...handles: readonly Handle[]) {
    this.#api = api;
    this.#handles = handles;
    const address = api.MapViewOfFile(handles[0] as Handle, FILE_MAP_WRITE, 0, 0, 0);
    if (address === NULL) {
      const error = lastError(api, "MapViewOfFile", subject);
      this.#closeHandles();
      throw error;
    }
    this.mapping = new View(api, address);
  }

  /** Creates zeroed memory, committed now. @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SHORTAGE, IPC_SYSTEM */
  static create(name: string, byteLength: number): Section {
    const api = kernel32();
    const section = api.CreateFileMappingW(INVALID_HANDLE, NULL, PAGE_READWRITE, 0, byteLength, name);
    return new Section(api, name, created(api, section, "CreateFileMapping", name));
  }

  /** @throws IpcError IPC_PEER_LOST (ENOENT), IPC_SYSTEM (EACCES, …) */
  static open(name: string): Section {
    const api = kernel32();
    const section = api.OpenFileMappingW(FILE_MAP_WRITE, 0, name);
    if (section === NULL) throw lastError(api, "OpenFileMapping", name);
    return new Section(api, name, section);
  }

  /** True if a section has that name. */
  static exists(name: string): boolean {
    const api = kernel32();
    const section = api.OpenFileMappingW(FILE_MAP_READ, 0, name);
    if (section !== NULL) api.CloseHandle(section);
    return section !== NULL;
  }

  /** Creates a file of zeros and maps it. @throws IpcError IPC_ADDRESS_IN_USE (EEXIST), IPC_SHORTAGE, IPC_SYSTEM */
  static createFile(path: string, byteLength: number): Section {
    return Section.#ofFile(path, CREATE_NEW, byteLength);
  }

  /** Maps all of a file. @throws IpcError IPC_PEER_LOST (ENOENT), IPC_MALFORMED (an empty file), IPC_SYSTEM */
  static openFile(path: string): Section {
    return Section.#ofFile(path, OPEN_EXISTING, 0);
  }

  static #ofFile(path: string, disposition: number, byteLength: number): Section {
    const api = kernel32();
    const attributes = FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT;
    const long = toNamespacedPath(path);
    const file = api.CreateFileW(long, GENERIC_READ_WRITE, SHARE_READ_WRITE, NULL, disposition, attributes, NULL);
    if (file === INVALID_HANDLE) throw lastError(api, "CreateFile", path);
    const section = api.CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, byteLength, null);
    if (section !== NULL) return new Section(api, path, section, file);
    const code = api.GetLastError();
    api.CloseHandle(file);
    if (disposition === CREATE_NEW) unlinkSync(path);
    if (code === ERROR_FILE_INVALID) throw new IpcError("IPC_MALFORMED", `${path} is an empty file`);
    throw windowsError(code, "CreateFileMapping", path);
  }

  /** Unmaps and closes. Idempotent. */
  close(): void {
    if (this.mapping.closed) return;
    this.mapping.close();
    this.#closeHandles();
  }

  #closeHandles(): void {
    for (const handle of this.#handles) this.#api.CloseHandle(handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
