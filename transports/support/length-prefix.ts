import { writeU32 } from "../contract/frame.ts";

/** Format of the length in front of a message. The prefix itself is not counted; 0 is a length. */
export interface PrefixFormat {
  /** Bytes that must be there before the functions below can be called. */
  readonly minBytes: number;
  /** Bytes of the whole prefix that begins at `at`; at most 16. */
  bytesAt(bytes: Uint8Array, at: number): number;
  /** The length announced by the whole prefix that begins at `at`; negative when it is nonsense. */
  lengthAt(bytes: Uint8Array, at: number): number;
  /** Bytes of the prefix of a message of this length. */
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

/** Largest message that is gathered in one allocation; a larger one gets memory only as its bytes arrive. */
const TRUSTED_BYTES = 1024 * 1024;

/** Writes prefix and message to the start of `frame`, which holds at least the bytes of both. */
export function writeFrame(frame: Uint8Array, message: Uint8Array, format: PrefixFormat = U32_PREFIX): void {
  format.write(frame, message.length);
  frame.set(message, format.bytesFor(message.length));
}

/**
 * Cuts a stream of chunks into messages. A message that lies whole in a chunk is handed over as a view of it; one that
 * is spread over chunks is gathered in a buffer that is reused. Either is valid only until `deliver` returns.
 */
export class LengthPrefixDecoder {
  readonly #limitBytes: number;
  readonly #format: PrefixFormat;
  readonly #deliver: (message: Uint8Array) => boolean;
  #refusedBytes: number | undefined;
  /** The frame begun in an earlier chunk, prefix included: `#have` of its bytes are here. */
  #gathered: Uint8Array = new Uint8Array(MAX_PREFIX_BYTES);
  #have = 0;
  /** The view handed out last. A ping-pong reads the same place of the same buffer again and again. */
  #view: Uint8Array = new Uint8Array(0);

  /**
   * @param limitBytes longest message accepted.
   * @param deliver gets each message; returns false to stop behind it, even in mid-chunk.
   */
  constructor(limitBytes: number, deliver: (message: Uint8Array) => boolean, format: PrefixFormat = U32_PREFIX) {
    this.#limitBytes = limitBytes;
    this.#format = format;
    this.#deliver = deliver;
  }

  /** True when a frame has begun and not ended: an end of file now is a loss. */
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
   * @returns where it stopped: `end`, or less when `deliver` returned false (go on from there later), or -1 when a
   *   length exceeds the limit. After -1 the stream has no meaning any more: hang up.
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

  /** Copies bytes of the frame begun; `#have` is 0 afterwards exactly when it is whole. */
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
    // A rare giant message must not pin its memory for the life of the connection.
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
