/** Below, a new buffer is cut from Node's own pool and costs less than keeping one. */
const WORTH_KEEPING_BYTES = 4096;
/** What is kept at most; a rare giant must not pin its memory for the life of a connection. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Copies for a library that reads them after `send` has returned, and says when it is done. New memory of 64 KiB costs
 * several times what copying into it costs, because the system hands it out page by page; so buffers come back and are used again.
 */
export class SpareBuffers {
  readonly #free: Buffer[] = [];
  /** All that are kept have this length: that of the last message. */
  #bytes = 0;

  /** A copy of `message` in a buffer that nobody else has. */
  copy(message: Uint8Array): Buffer {
    const { length } = message;
    if (length < WORTH_KEEPING_BYTES) return Buffer.from(message);
    const kept = length === this.#bytes ? this.#free.pop() : undefined;
    const buffer = kept ?? Buffer.allocUnsafeSlow(length);
    buffer.set(message);
    return buffer;
  }

  /** Whether it pays to say when a copy of so many bytes is free again. */
  wants(bytes: number): boolean {
    return bytes >= WORTH_KEEPING_BYTES && bytes <= KEPT_BYTES;
  }

  /** Once for each copy at most, and only when nobody will read it any more. */
  giveBack(buffer: Buffer): void {
    if (!this.wants(buffer.length)) return;
    if (buffer.length !== this.#bytes) {
      this.#free.length = 0;
      this.#bytes = buffer.length;
    }
    if ((this.#free.length + 1) * this.#bytes <= KEPT_BYTES) this.#free.push(buffer);
  }
}
