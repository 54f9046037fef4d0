import { writeU32 } from "../contract/frame.ts";

/** Format of the length in front of a message. The length does not include the prefix; 0 is valid. */
export interface PrefixFormat {
  /** Bytes that must have arrived before the functions below can be called. */
  readonly minBytes: number;
  /** Returns the size of the prefix that begins at `at`; at most 16. */
  bytesAt(bytes: Uint8Array, at: number): number;
  /** Returns the length in the complete prefix that begins at `at`; negative if the prefix is invalid. */
  lengthAt(bytes: Uint8Array, at: number): number;
  /** Returns the size of the prefix for a message of this length. */
  bytesFor(messageBytes: number): number;
  write(frame: Uint8Array, messageBytes: number): void;
  /** Error code for a length above the limit. */
  readonly excess: "IPC_MALFORMED" | "IPC_TOO_LARGE";
}

export const PREFIX_BYTES = 4;

/** The format of this project: a u32, little-endian. */
export const U32_PREFIX: PrefixFormat = {
  minBytes: PREFIX_BYTES,
  bytesAt: () => PREFIX_BYTES,
  lengthAt: readU32,
  bytesFor: () => PREFIX_BYTES,
  write: (frame, messageBytes) => writeU32(frame, 0, messageBytes),
  excess: "IPC_MALFORMED",
};

const MAX_PREFIX_BYTES = 16;

/** Largest message for which all memory is allocated at once; a larger one gets memory only as its bytes arrive. */
const TRUSTED_BYTES = 1024 * 1024;

/** Writes prefix and message to the start of `frame`, which must be long enough for both. */
export function writeFrame(frame: Uint8Array, message: Uint8Array, format: PrefixFormat = U32_PREFIX): void {
  format.write(frame, message.length);
  frame.set(message, format.bytesFor(message.length));
}

/**
 * Cuts a stream of chunks into messages. If a message lies in one chunk, `deliver` gets a view of the chunk. If it is
 * spread over several, it is collected in a reused buffer. Both are valid only until `deliver` returns.
 */
export class LengthPrefixDecoder {
  readonly #limitBytes: number;
  readonly #format: PrefixFormat;
  readonly #deliver: (message: Uint8Array) => boolean;
  #refusedBytes: number | undefined;
  /** Frame that began in an earlier chunk, prefix included; `#have` bytes of it have arrived. */
  #gathered: Uint8Array = new Uint8Array(MAX_PREFIX_BYTES);
  #have = 0;
  /** View delivered last. It is kept since a ping-pong reads the same place of the same buffer again and again. */
  #view: Uint8Array = new Uint8Array(0);

  /**
   * @param limitBytes longest message accepted.
   * @param deliver gets each message; returns false to stop after it, even inside a chunk.
   */
  constructor(limitBytes: number, deliver: (message: Uint8Array) => boolean, format: PrefixFormat = U32_PREFIX) {
    this.#limitBytes = limitBytes;
    this.#format = format;
    this.#deliver = deliver;
  }

  /** True while a frame is incomplete: if the stream ends now, a message is lost. */
  get midFrame(): boolean {
    return this.#have > 0;
  }

  /** Length that made `push` return -1. */
  get refusedBytes(): number | undefined {
    return this.#refusedBytes;
  }

  /**
   * Delivers the messages in `chunk[start, end)`. Copies the bytes of an unfinished one, so the chunk may be reused.
   *
   * @returns where it stopped: `end`, or less when `deliver` returned false (continue from there later), or -1 when a
   *   length exceeds the limit. After -1 the rest of the stream cannot be read: close it.
   */
  push(chunk: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#have > 0) {
      at = this.#gather(chunk, at, end);
      if (at < 0 || this.#have > 0) return at;
      if (!this.#deliver(this.#gatheredMessage())) return at;
    }
    const format = this.#format;
    while (end - at >= format.minBytes) {
      const from = at + format.bytesAt(chunk, at);
      if (from > end) break;
      const bytes = format.lengthAt(chunk, at);
      if (bytes > this.#limitBytes || bytes < 0) return this.#refuse(bytes);
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

  /** Copies bytes of the incomplete frame. Afterwards `#have` is 0 exactly if the frame was completed. */
  #gather(chunk: Uint8Array, start: number, end: number): number {
    let at = start;
    const format = this.#format;
    for (;;) {
      const missing = this.#have < format.minBytes || this.#have < format.bytesAt(this.#gathered, 0);
      if (!missing) break;
      if (at === end) return at;
      this.#gathered[this.#have++] = chunk[at++] as number;
    }
    const bytes = format.lengthAt(this.#gathered, 0);
    if (bytes > this.#limitBytes || bytes < 0) return this.#refuse(bytes);
    const whole = format.bytesAt(this.#gathered, 0) + bytes;
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
    const from = this.#format.bytesAt(this.#gathered, 0);
    const message = this.#gathered.subarray(from, from + this.#format.lengthAt(this.#gathered, 0));
    // A rare giant message must not keep its memory for the life of the connection.
    if (this.#gathered.length > 4 * TRUSTED_BYTES) this.#gathered = new Uint8Array(MAX_PREFIX_BYTES);
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
