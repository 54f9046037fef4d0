/** Largest copy for which a loop over words is faster than `TypedArray.set`, where the call and the view cost most. */
export const WORD_LOOP_BYTES = 256;
const NOTHING = new Int32Array(0);

/**
 * Copies messages between the caller's buffers and mapped memory, without allocating for small ones: for 80 bytes, a
 * view costs four times as much as the copy. Use one object per direction; it remembers the caller's last buffer.
 */
export class WordCopy {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  #seen: Uint8Array | undefined;
  #seenWords: Int32Array | undefined;

  /** @param words the same memory as `bytes`, from its first byte */
  constructor(bytes: Uint8Array, words: Int32Array) {
    this.#bytes = bytes;
    this.#words = words;
  }

  /** Writes all of `message` to the offset `at`, a multiple of 4. */
  write(message: Uint8Array, at: number): void {
    const length = message.length;
    const source = length <= WORD_LOOP_BYTES ? this.wordsOf(message) : undefined;
    if (source === undefined) {
      this.#bytes.set(message, at);
      return;
    }
    const target = this.#words;
    const whole = length >>> 2;
    const word = at >>> 2;
    for (let i = 0; i < whole; i++) target[word + i] = source[i] as number;
    for (let i = whole << 2; i < length; i++) this.#bytes[at + i] = message[i] as number;
  }

  /** Reads `length` bytes from the offset `at`, a multiple of 4, to the start of `into`, which is long enough. */
  read(into: Uint8Array, at: number, length: number): void {
    const target = length <= WORD_LOOP_BYTES ? this.wordsOf(into) : undefined;
    if (target === undefined) {
      // Costs half as much as `subarray`, which first finds out which kind of array it has to make.
      into.set(new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, length));
      return;
    }
    const source = this.#words;
    const whole = length >>> 2;
    const word = at >>> 2;
    for (let i = 0; i < whole; i++) target[i] = source[word + i] as number;
    for (let i = whole << 2; i < length; i++) into[i] = this.#bytes[at + i] as number;
  }

  /**
   * Returns the caller's buffer as words from its second use on, because for one use the view costs more than it saves.
   * Otherwise returns undefined.
   */
  wordsOf(bytes: Uint8Array): Int32Array | undefined {
    if (bytes !== this.#seen) {
      this.#seen = bytes;
      this.#seenWords = undefined;
      return undefined;
    }
    this.#seenWords ??= aligned(bytes);
    return this.#seenWords === NOTHING ? undefined : this.#seenWords;
  }
}

function aligned(bytes: Uint8Array): Int32Array {
  if ((bytes.byteOffset & 3) !== 0) return NOTHING;
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
}
