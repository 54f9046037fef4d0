/** Smallest buffer that is kept: a smaller one comes from Node's own pool, at a lower cost. */
const WORTH_KEEPING_BYTES = 4096;
/** Maximum of bytes that are kept: a rare giant message must not keep its memory for the life of a connection. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Reused buffers of copies, for a library that reads them after `send` has returned and reports when it is done. New
 * memory of 64 KiB costs several times as much as the copy, because the system provides it page by page.
 */
export class SpareBuffers {
  readonly #free: Buffer[] = [];
  /** Length of each buffer that is kept: the length of the last message. */
  #bytes = 0;

  /** Copies `message` into a buffer that nobody else uses. */
  copy(message: Uint8Array): Buffer {
    const { length } = message;
    if (length < WORTH_KEEPING_BYTES) return Buffer.from(message);
    const kept = length === this.#bytes ? this.#free.pop() : undefined;
    const buffer = kept ?? Buffer.allocUnsafeSlow(length);
    buffer.set(message);
    return buffer;
  }

  /** True when a copy of this size is worth giving back. */
  wants(bytes: number): boolean {
    return bytes >= WORTH_KEEPING_BYTES && bytes <= KEPT_BYTES;
  }

  /** Takes a copy back. Call it at most once per copy, and only when nobody will read the copy any more. */
  giveBack(buffer: Buffer): void {
    if (!this.wants(buffer.length)) return;
    if (buffer.length !== this.#bytes) {
      this.#free.length = 0;
      this.#bytes = buffer.length;
    }
    if ((this.#free.length + 1) * this.#bytes <= KEPT_BYTES) this.#free.push(buffer);
  }
}
