import { IpcError } from "../contract/errors.ts";
import { WORD_LOOP_BYTES, WordCopy } from "../support/word-copy.ts";

/**
 * A ring of whole messages in shared memory, for one producer and one consumer in different processes.
 *
 * Positions are free-running unsigned 32-bit byte counts. Their difference stays correct beyond 2^32 bytes of traffic,
 * because it is never larger than the capacity. A frame is
 *
 *     0  u32  length     bytes of message; 0xffffffff: padding up to the end of the ring
 *     4  u32  sequence   one more than in the frame before; reveals a stale or foreign frame
 *     8  …    message, then padding up to a multiple of 8
 *
 * and never wraps around, so a message can be read in place. Neither side trusts the other: fields of the peer are read
 * once into locals, checked there, and not read again. (The construction is from Lamport, CACM 20(11), 1977. Caching
 * the peer's position, so that most polls touch no shared line, is from FastForward and B-Queue.)
 */
export interface RingRegion {
  /** Bytes of the whole mapping; the next field views the same memory. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Word index of the producer's position; the consumer's is {@link HEAD_WORDS} further, on its own cache line. */
  readonly controlWord: number;
  /** Byte offset of the data, a multiple of 8. */
  readonly dataOffset: number;
  /** Bytes of data: a power of two, at least {@link SMALLEST_CAPACITY}. */
  readonly capacity: number;
}

export const HEAD_WORDS = 32;
export const SMALLEST_CAPACITY = 64;
export const LARGEST_CAPACITY: number = 2 ** 30;
export const FRAME_BYTES = 8;
const PADDING = -1;
/** Result of {@link RingReader.readFast} that is neither a length nor -1: the slow path is needed. */
export const SLOW_PATH = -2;
const FOUND = 0;

/** Largest message for a ring of this capacity: a frame of half the ring always fits, wherever the positions are. */
export const largestMessage = (capacity: number): number => capacity / 2 - FRAME_BYTES;

export const isCapacity = (bytes: number): boolean =>
  Number.isInteger(bytes) && bytes >= SMALLEST_CAPACITY && bytes <= LARGEST_CAPACITY && (bytes & (bytes - 1)) === 0;

const frameBytes = (length: number): number => (length + FRAME_BYTES + 7) & ~7;

/** The producer's end. */
export class RingWriter {
  readonly #words: Int32Array;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #dataOffset: number;
  readonly #capacity: number;
  readonly #copy: WordCopy;
  #tail: number;
  /** Position of the consumer as last seen. */
  #head: number;
  #sequence = 0;

  constructor(region: RingRegion) {
    this.#words = region.words;
    this.#copy = new WordCopy(region.bytes, region.words);
    this.#tailWord = region.controlWord;
    this.#headWord = region.controlWord + HEAD_WORDS;
    this.#dataOffset = region.dataOffset;
    this.#capacity = region.capacity;
    this.#tail = Atomics.load(this.#words, this.#tailWord);
    this.#head = this.#tail;
  }

  /** @returns false if there is no room now. The caller must check the length against {@link largestMessage} before. */
  tryWrite(message: Uint8Array): boolean {
    if (this.writeFast(message)) return true;
    const length = message.length;
    if (!this.hasRoom(length)) return false;
    const at = this.#tail & (this.#capacity - 1);
    const toEnd = this.#capacity - at;
    if (frameBytes(length) > toEnd) {
      this.#frame(at, PADDING);
      this.#tail = (this.#tail + toEnd) | 0;
    }
    return this.writeFast(message);
  }

  /**
   * Fast path of {@link tryWrite}: takes the message if the last known position leaves room without wrapping. Returns
   * false otherwise: use tryWrite. Never throws. (In a `try` block, a loop compiles to code three times as slow.)
   */
  writeFast(message: Uint8Array): boolean {
    const length = message.length;
    const need = frameBytes(length);
    const tail = this.#tail;
    const at = tail & (this.#capacity - 1);
    const used = (tail - this.#head) | 0;
    if (need > this.#capacity - used || need > this.#capacity - at) return false;
    this.#frame(at, length);
    this.#copy.write(message, this.#dataOffset + at + FRAME_BYTES);
    const next = (tail + need) | 0;
    this.#tail = next;
    Atomics.store(this.#words, this.#tailWord, next);
    return true;
  }

  /** Reads the consumer's position. @throws IpcError IPC_MALFORMED if the position is impossible */
  hasRoom(length: number): boolean {
    const head = Atomics.load(this.#words, this.#headWord);
    const used = (this.#tail - head) | 0;
    // The consumer's position only increases, and never beyond ours.
    if (used < 0 || used > ((this.#tail - this.#head) | 0) || (used & 7) !== 0) {
      throw malformed(`its position is ${used} bytes behind ours`);
    }
    this.#head = head;
    const need = frameBytes(length);
    const toEnd = this.#capacity - (this.#tail & (this.#capacity - 1));
    return this.#capacity - used >= (need > toEnd ? toEnd + need : need);
  }

  #frame(at: number, length: number): void {
    const word = (this.#dataOffset + at) >>> 2;
    this.#words[word] = length;
    this.#words[word + 1] = this.#sequence;
    this.#sequence = (this.#sequence + 1) | 0;
  }
}

/** The consumer's end. */
export class RingReader {
  readonly #spins: boolean;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #tailWord: number;
  readonly #headWord: number;
  readonly #dataOffset: number;
  readonly #capacity: number;
  readonly #copy: WordCopy;
  #head: number;
  #published: number;
  /** Position of the producer as last seen. */
  #tail: number;
  #sequence = 0;
  /** Largest message on the fast path of {@link tryRead}. */
  readonly #small: number;
  /** Sink for the early loads of a small message; keeps the compiler from eliminating them. */
  fetched = 0;
  /** Offset of the message that {@link next} found. */
  #offset = 0;
  #end = 0;
  /** True if room was given back; the caller clears it when it wakes a waiting producer. */
  freed = false;

  /** @param spins true: nobody sleeps for room, so it is given back only after several empty checks, not per reply */
  constructor(region: RingRegion, spins = false) {
    this.#spins = spins;
    this.#bytes = region.bytes;
    this.#words = region.words;
    this.#copy = new WordCopy(region.bytes, region.words);
    this.#tailWord = region.controlWord;
    this.#headWord = region.controlWord + HEAD_WORDS;
    this.#dataOffset = region.dataOffset;
    this.#capacity = region.capacity;
    this.#small = Math.min(WORD_LOOP_BYTES, largestMessage(region.capacity));
    this.#head = Atomics.load(this.#words, this.#headWord);
    this.#published = this.#head;
    this.#tail = this.#head;
  }

  /**
   * True if the producer's position seems to have changed. Makes up to `looks` plain loads: an atomic load is a call.
   * The language allows plain loads to show an old value for ever, so {@link isReady} must be called now and then.
   */
  peek(looks: number): boolean {
    const head = this.#head;
    if (this.#tail !== head) return true;
    const words = this.#words;
    const at = this.#tailWord;
    for (let i = 0; i < looks; i++) if (words[at] !== head) return true;
    return false;
  }

  /**
   * True if the producer's position has changed. Makes one load and does not read the messages. If it is unchanged,
   * gives back the room that {@link tryRead} has not given back yet.
   */
  isReady(): boolean {
    if (this.#head !== this.#tail || Atomics.load(this.#words, this.#tailWord) !== this.#head) return true;
    if (this.#published !== this.#head) this.#publish();
    return false;
  }

  /**
   * @returns length copied to the start of `into`, or -1 if the ring is empty
   * @throws IpcError IPC_MALFORMED, IPC_TOO_LARGE (`into` is too small; the message is gone)
   */
  tryRead(into: Uint8Array): number {
    const length = this.readFast(into);
    return length === SLOW_PATH ? this.readSlow(into) : length;
  }

  /**
   * Fast path of {@link tryRead}, with every check. Takes a small whole message, or returns -1 if there is none. In any
   * other case returns {@link SLOW_PATH}: use tryRead. Never throws; see {@link RingWriter.writeFast} for why.
   */
  readFast(into: Uint8Array): number {
    const words = this.#words;
    const head = this.#head;
    if (this.#tail === head) {
      // A spinning side checks again soon, so a plain load is enough to see that nothing has come.
      if (this.#spins && words[this.#tailWord] === head) return -1;
      const found = this.#look();
      if (found !== FOUND) return found;
    }
    const at = head & (this.#capacity - 1);
    const word = (this.#dataOffset + at) >>> 2;
    const length = words[word] as number;
    const bytes = frameBytes(length);
    if (
      length < 0 ||
      length > this.#small ||
      length > into.length ||
      words[word + 1] !== this.#sequence ||
      bytes > ((this.#tail - head) | 0) ||
      at + bytes > this.#capacity
    ) {
      return SLOW_PATH;
    }
    const target = this.#copy.wordsOf(into);
    if (target === undefined) return SLOW_PATH;
    const whole = length >>> 2;
    const from = word + FRAME_BYTES / 4;
    for (let i = 0; i < whole; i++) target[i] = words[from + i] as number;
    for (let i = whole << 2; i < length; i++) into[i] = this.#bytes[(from << 2) + i] as number;
    this.#end = (head + bytes) | 0;
    this.release();
    return length;
  }

  /** Slow path of {@link tryRead}. */
  readSlow(into: Uint8Array): number {
    const length = this.next();
    if (length < 0) return -1;
    if (length > into.length) {
      this.release();
      throw new IpcError("IPC_TOO_LARGE", `a message of ${length} bytes does not fit in ${into.length}`);
    }
    this.#copy.read(into, this.#offset, length);
    this.release();
    return length;
  }

  /** Finds the next message without taking it. @returns its length, or -1; see {@link message} and {@link release} */
  next(): number {
    if (this.#tail === this.#head && !this.#refill()) return -1;
    let available = (this.#tail - this.#head) | 0;
    let at = this.#head & (this.#capacity - 1);
    let length = this.#frame(at);
    if (length === PADDING) {
      const filling = this.#capacity - at;
      // After padding to the end, a frame begins at the start; padding there is invalid.
      if (at === 0 || filling + FRAME_BYTES > available) throw malformed("padding without a frame after it");
      available -= filling;
      this.#head = (this.#head + filling) | 0;
      this.#sequence = (this.#sequence + 1) | 0;
      at = 0;
      length = this.#frame(at);
    }
    if (length < 0 || length > largestMessage(this.#capacity)) throw malformed(`a length of ${length >>> 0} bytes`);
    const bytes = frameBytes(length);
    if (bytes > available || at + bytes > this.#capacity)
      throw malformed(`a length of ${length} bytes, and only ${available} are there`);
    this.#offset = this.#dataOffset + at + FRAME_BYTES;
    this.#end = (this.#head + bytes) | 0;
    return length;
  }

  /** Returns the message found, in place: valid until {@link release}; the peer may change it at any time. */
  message(length: number): Uint8Array {
    return this.#bytes.subarray(this.#offset, this.#offset + length);
  }

  /** Takes the message found. Gives room back after a quarter of the ring, and whenever the ring is found empty. */
  release(): void {
    this.#head = this.#end;
    this.#sequence = (this.#sequence + 1) | 0;
    if (((this.#head - this.#published) | 0) >= this.#capacity >>> 2) this.#publish();
  }

  /** @returns the length field of the frame at `at`, read once, after a check of its sequence number */
  #frame(at: number): number {
    const word = (this.#dataOffset + at) >>> 2;
    const length = this.#words[word] as number;
    const sequence = this.#words[word + 1] as number;
    if (sequence !== this.#sequence)
      throw malformed(`sequence number ${sequence >>> 0} instead of ${this.#sequence >>> 0}`);
    return length;
  }

  #refill(): boolean {
    const found = this.#look();
    if (found === SLOW_PATH) {
      const available = (Atomics.load(this.#words, this.#tailWord) - this.#head) | 0;
      throw malformed(`its position is ${available} bytes ahead of ours`);
    }
    return found === FOUND;
  }

  /** Reads the producer's position. @returns {@link FOUND}, -1 for nothing, or {@link SLOW_PATH} if it is impossible */
  #look(): number {
    const tail = Atomics.load(this.#words, this.#tailWord);
    const available = (tail - this.#head) | 0;
    if (available === 0) {
      if (!this.#spins && this.#published !== this.#head) this.#publish();
      return -1;
    }
    if (available < 0 || available > this.#capacity - ((this.#head - this.#published) | 0) || (available & 7) !== 0) {
      return SLOW_PATH;
    }
    this.#tail = tail;
    // Another CPU has just written these cache lines. Requested together they arrive together; a loop that checks and
    // copies word by word would wait for each line in turn.
    const first = this.#dataOffset >>> 2;
    const [words, head, mask] = [this.#words, this.#head, this.#capacity - 1];
    this.fetched =
      (words[first + ((head & mask) >>> 2)] as number) ^
      (words[first + (((head + 64) & mask) >>> 2)] as number) ^
      (words[first + (((head + 84) & mask) >>> 2)] as number);
    return FOUND;
  }

  #publish(): void {
    this.#published = this.#head;
    Atomics.store(this.#words, this.#headWord, this.#head);
    this.freed = true;
  }
}

function malformed(what: string): IpcError {
  return new IpcError("IPC_MALFORMED", `the ring of the other side is not valid: ${what}`);
}
