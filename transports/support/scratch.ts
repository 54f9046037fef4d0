/** Largest message kept in the reused buffer; one above gets its own, so that its memory is not kept for ever. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Copies a message for a stream, so that the caller may overwrite the original at once. The buffer is
 * reused whenever the stream has nothing queued, which is the case right after most writes: the kernel took all.
 */
export class Scratch {
  #buffer: Buffer = Buffer.allocUnsafeSlow(0);

  /** @param queuedBytes what the stream still holds: its `writableLength` */
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
