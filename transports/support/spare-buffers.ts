/** Smallest copy worth keeping: below, a new buffer is cut from Node's own pool, which costs less. */
const WORTH_KEEPING_BYTES = 4096;
/** Most bytes that are kept; a rare giant must not pin its memory for the life of a connection. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Copies for a library that reads them after `send` has returned and reports when it is done. New memory of 64 KiB
 * costs several times the copy, because the system hands it out page by page; so buffers are used again.
 */
export class SpareBuffers {
  readonly #free: Buffer[] = [];
  /** Length of all buffers that are kept: that of the last message. */
  #bytes = 0;

  /** Copies `message` into a buffer that nobody else has. */
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

  /** Takes a copy back: once at most, and only when nobody will read it any more. */
  giveBack(buffer: Buffer): void {
    if (!this.wants(buffer.length)) return;
    if (buffer.length !== this.#bytes) {
      this.#free.length = 0;
      this.#bytes = buffer.length;
    }
    if ((this.#free.length + 1) * this.#bytes <= KEPT_BYTES) this.#free.push(buffer);
  }
}
