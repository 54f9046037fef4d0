import { constants } from "node:os";
import { IpcError } from "../contract/errors.ts";
import { libc } from "./binding.ts";
import { errnoError, systemError } from "./errno.ts";
import { type Libc, MAP_FAILED, NULL, type Pointer } from "./libc.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
/** Advice for `madvise`, from Linux 5.14 on; other systems refuse it. */
const MADV_POPULATE_WRITE = 23;
const LARGEST_BYTES = 0x7fff_f000;

/** Public part of a mapping: what a mapping of another system has, too. */
export type SharedView = Pick<Mapping, keyof Mapping>;

/**
 * Memory that this process has mapped. Views are zero-copy: `Atomics` on `words` works between processes
 * (`Atomics.wait` does not; sleep with a futex or a semaphore).
 *
 * `close` detaches every view before it unmaps, so a late access throws or reads `undefined` and does not crash. A file
 * that another process shrinks under a mapping still ends in SIGBUS; only a process of the same user can do that.
 */
export class Mapping implements Disposable {
  readonly byteLength: number;
  readonly #libc: Libc;
  readonly #pointer: Pointer;
  #buffer: ArrayBuffer | undefined;
  /** All of the memory; detached by `close`. */
  readonly bytes: Uint8Array;
  /** The same memory as 32-bit words. */
  readonly words: Int32Array;

  private constructor(api: Libc, pointer: Pointer, byteLength: number) {
    this.#libc = api;
    this.#pointer = pointer;
    this.byteLength = byteLength;
    this.#buffer = api.view(pointer, byteLength);
    this.bytes = new Uint8Array(this.#buffer);
    this.words = new Int32Array(this.#buffer, 0, byteLength >>> 2);
  }

  /** Maps private zeroed memory with a fixed address, for structures of C calls. */
  static anonymous(byteLength: number): Mapping {
    return Mapping.#map(byteLength, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  }

  /**
   * Maps the first bytes of an open file or shared-memory object, shared with every other process that does so. The
   * descriptor may be closed afterwards. The caller must check (by `fstat`) that the object is that long: a mapping
   * past the end succeeds, but the first access there kills the process.
   */
  static shared(fd: number, byteLength: number): Mapping {
    return Mapping.#map(byteLength, MAP_SHARED, fd);
  }

  static #map(byteLength: number, flags: number, fd: number): Mapping {
    if (!Number.isInteger(byteLength) || byteLength <= 0 || byteLength > LARGEST_BYTES) {
      const remedy = `give a whole number from 1 to ${LARGEST_BYTES}`;
      throw errnoError(constants.errno.EINVAL, "mmap", `${byteLength} bytes`, remedy);
    }
    const api = libc();
    const pointer = api.mmap(NULL, byteLength, PROT_READ_WRITE, flags, fd, 0);
    if (pointer === MAP_FAILED) throw systemError(api, "mmap", `${byteLength} bytes`);
    return new Mapping(api, pointer, byteLength);
  }

  /**
   * Brings all pages into the page table of this process by one call; one fault per page would cost up to 50 times as
   * much. Changes no byte. If the system cannot do this, the pages are mapped one by one, as they are used.
   */
  populate(): void {
    if (process.platform === "linux") this.#libc.madvise(this.#pointer, this.byteLength, MADV_POPULATE_WRITE);
  }

  get closed(): boolean {
    return this.#buffer === undefined;
  }

  /** Returns the address of a byte, for C calls. @throws RangeError outside the mapping */
  pointer(offset = 0): Pointer {
    if (!Number.isInteger(offset) || offset < 0 || offset >= this.byteLength) {
      throw new RangeError(`offset ${offset} lies outside a mapping of ${this.byteLength} bytes`);
    }
    if (this.#buffer === undefined) throw new IpcError("IPC_CLOSED", "the mapping is closed");
    return this.#pointer + offset;
  }

  /** Detaches all views, then unmaps. Pointers returned before are invalid from here on. Idempotent. */
  close(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#buffer = undefined;
    buffer.transfer(0);
    if (this.#libc.munmap(this.#pointer, this.byteLength) !== 0) throw systemError(this.#libc, "munmap", "mapping");
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
