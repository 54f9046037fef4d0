import { writeU32 } from "../contract/frame.ts";

/**
 * Message boundaries on a byte stream: every message is preceded by its length in bytes as a u32, little-endian.
 * The prefix is not counted. A length of 0 is a message.
 */
export const PREFIX_BYTES = 4;

/** A message up to this size is gathered in one allocation; a larger one gets memory only as its bytes arrive. */
const TRUSTED_BYTES = 1024 * 1024;

/** Writes prefix and message to the start of `frame`, which holds at least `PREFIX_BYTES + message.length` bytes. */
export function writeFrame(frame: Uint8Array, message: Uint8Array): void {
  writeU32(frame, 0, message.length);
  frame.set(message, PREFIX_BYTES);
}

/**
 * Cuts a stream of chunks into messages. A message that lies whole in a chunk is handed over as a view of it; one that
 * is spread over chunks is gathered in a buffer that is reused. Either is valid only until `deliver` returns.
 */
export class LengthPrefixDecoder {
  readonly #limitBytes: number;
  readonly #deliver: (message: Uint8Array) => boolean;
  #refusedBytes: number | undefined;
  /** The frame begun in an earlier chunk, prefix included: `#have` of its bytes are here. */
  #gathered: Uint8Array = new Uint8Array(PREFIX_BYTES);
  #have = 0;
  /** The view handed out last. A ping-pong reads the same place of the same buffer again and again. */
  #view: Uint8Array = new Uint8Array(0);

  /**
   * @param limitBytes longest message accepted.
   * @param deliver gets each message; answers false to stop behind it, even in mid-chunk.
   */
  constructor(limitBytes: number, deliver: (message: Uint8Array) => boolean) {
    this.#limitBytes = limitBytes;
    this.#deliver = deliver;
  }

  /** True when a frame has begun and not ended: an end of file now is a loss. */
  get midFrame(): boolean {
    return this.#have > 0;
  }

  /** The length that made `push` answer -1. */
  get refusedBytes(): number | undefined {
    return this.#refusedBytes;
  }

  /**
   * Delivers the messages in `chunk[start, end)`; the bytes of an unfinished one are copied, so the chunk may be reused.
   *
   * @returns where it stopped: `end`, or less when `deliver` answered false (go on from there later), or -1 when a
   *   length exceeds the limit. After -1 the stream has no meaning any more: hang up.
   */
  push(chunk: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#have > 0) {
      at = this.#gather(chunk, at, end);
      if (at < 0 || this.#have > 0) return at;
      if (!this.#deliver(this.#gatheredMessage())) return at;
    }
    while (end - at >= PREFIX_BYTES) {
      const bytes = readU32(chunk, at);
      if (bytes > this.#limitBytes) return this.#refuse(bytes);
      const from = at + PREFIX_BYTES;
      if (end - from < bytes) break;
      at = from + bytes;
      if (!this.#deliver(this.#viewOf(chunk, from, bytes))) return at;
    }
    return at < end ? this.#gather(chunk, at, end) : at;
  }

  #refuse(bytes: number): -1 {
    this.#refusedBytes = bytes;
    return -1;
  }

  #viewOf(chunk: Uint8Array, from: number, bytes: number): Uint8Array {
    const view = this.#view;
    const offset = chunk.byteOffset + from;
    if (view.buffer === chunk.buffer && view.byteOffset === offset && view.length === bytes) return view;
    this.#view = new Uint8Array(chunk.buffer, offset, bytes);
    return this.#view;
  }

  /** Copies bytes of the frame begun; `#have` is 0 afterwards exactly when it is whole. */
  #gather(chunk: Uint8Array, start: number, end: number): number {
    let at = start;
    while (this.#have < PREFIX_BYTES) {
      if (at === end) return at;
      this.#gathered[this.#have++] = chunk[at++] as number;
    }
    const bytes = readU32(this.#gathered, 0);
    if (bytes > this.#limitBytes) return this.#refuse(bytes);
    const whole = PREFIX_BYTES + bytes;
    const taken = Math.min(whole - this.#have, end - at);
    this.#reserve(whole, this.#have + taken);
    if (taken > 0) this.#gathered.set(chunk.subarray(at, at + taken), this.#have);
    this.#have += taken;
    if (this.#have === whole) this.#have = 0;
    return at + taken;
  }

  #reserve(whole: number, needed: number): void {
    const has = this.#gathered.length;
    if (has >= needed) return;
    const size = whole <= TRUSTED_BYTES ? whole : Math.min(whole, Math.max(needed, 2 * has, TRUSTED_BYTES));
    const larger = new Uint8Array(new ArrayBuffer(size));
    larger.set(this.#gathered.subarray(0, this.#have));
    this.#gathered = larger;
  }

  #gatheredMessage(): Uint8Array {
    const bytes = readU32(this.#gathered, 0);
    const message = this.#gathered.subarray(PREFIX_BYTES, PREFIX_BYTES + bytes);
    // A rare giant must not pin its memory for the life of the connection.
    if (this.#gathered.length > 4 * TRUSTED_BYTES) this.#gathered = new Uint8Array(PREFIX_BYTES);
    return message;
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
