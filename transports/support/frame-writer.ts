import type { Writable } from "node:stream";
import { type PrefixFormat, U32_PREFIX, writeFrame } from "./length-prefix.ts";

/** Largest size to which the scratch buffer grows with the messages; a longer message gets a buffer of its own. */
const SCRATCH_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * Writes length-prefixed messages to a stream. Each takes one `write`, with prefix and message in one buffer, because a
 * second write costs a second system call. The caller's bytes are copied to a scratch buffer. The buffer is free again
 * whenever the stream has nothing queued: right after most writes, because the kernel usually takes all bytes at once.
 */
export class FrameWriter {
  readonly #stream: Writable;
  readonly #format: PrefixFormat;
  #scratch: Buffer = Buffer.allocUnsafeSlow(4096);
  /** The view of `#scratch` used last, so that messages of one size need no new one. */
  #frame: Buffer = this.#scratch.subarray(0, 0);
  #full = false;
  #refused = false;

  /** @param onWritable called once after a `write` that returned false, when the stream has room again */
  constructor(stream: Writable, onWritable: () => void, format: PrefixFormat = U32_PREFIX) {
    this.#stream = stream;
    this.#format = format;
    stream.on("drain", () => {
      this.#full = false;
      if (!this.#refused) return;
      this.#refused = false;
      onWritable();
    });
  }

  /** @returns false when the stream's queue is above its high-water mark; nothing was taken then. */
  write(message: Uint8Array): boolean {
    if (this.#full) {
      this.#refused = true;
      return false;
    }
    const frame = this.#frameOf(this.#format.bytesFor(message.length) + message.length);
    writeFrame(frame, message, this.#format);
    if (!this.#stream.write(frame)) this.#full = true;
    return true;
  }

  #frameOf(bytes: number): Buffer {
    // The scratch buffer may still hold bytes that are queued.
    if (this.#stream.writableLength !== 0) return Buffer.allocUnsafe(bytes);
    if (this.#frame.length === bytes) return this.#frame;
    if (bytes > SCRATCH_LIMIT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (bytes > this.#scratch.length) {
      this.#scratch = Buffer.allocUnsafeSlow(Math.min(SCRATCH_LIMIT_BYTES, 2 ** Math.ceil(Math.log2(bytes))));
    }
    this.#frame = this.#scratch.subarray(0, bytes);
    return this.#frame;
  }
}
