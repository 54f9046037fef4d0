/** Largest message that is copied to the reused buffer; a larger one gets its own, so that its memory is freed. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Copies a message for a stream, so that the caller may overwrite the original. The buffer is reused whenever the
 * stream has nothing queued: right after most writes, because the kernel usually takes all bytes at once.
 */
export class Scratch {
  #buffer: Buffer = Buffer.allocUnsafeSlow(0);

  /** @param queuedBytes bytes that the stream still holds: its `writableLength` */
  copy(message: Uint8Array, queuedBytes: number): Buffer {
    const target = this.#target(message.length, queuedBytes);
    target.set(message);
    return target;
  }

  #target(bytes: number, queuedBytes: number): Buffer {
    if (queuedBytes !== 0 || bytes > LIMIT_BYTES) return Buffer.allocUnsafe(bytes);
    if (this.#buffer.length !== bytes) this.#buffer = Buffer.allocUnsafeSlow(bytes);
    return this.#buffer;
  }
}
