/** Longest message that is recorded, bytes; longer ones only pass through. */
export const MOST_MESSAGE_BYTES = 64 * 1024 ** 2;
const FIRST_BYTES = 64 * 1024;
/** Longest block of headers, bytes. A longer one is no message. */
const MOST_HEADER_BYTES = 8192;
const LINE_FEED = 0x0a;
const HEADER = "content-";
const LENGTH = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im;

/** Callbacks for the findings of a reader. Bytes are valid only during the call. */
export interface Found {
  /** Called for a line, without its line feed, and for the body after headers. */
  onMessage(bytes: Uint8Array): void;
  /** Called for bytes that are no message: invalid headers, and messages that are too long. */
  onOther(): void;
}

/**
 * Finds the messages in one direction of a stream, in either framing: one a line, or with a `Content-Length` header. It
 * detects the framing for each message, because a server may print a line where a header should be.
 */
export class MessageReader {
  readonly #found: Found;
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #start = 0;
  #end = 0;
  /** Position up to which no line feed was found. */
  #searched = 0;
  /** Length of the body after the headers that were read; undefined between messages. */
  #body: number | undefined;
  /** Number of bytes to skip, of a body that is too long. Infinity: up to the next line feed. */
  #skipped = 0;

  constructor(found: Found) {
    this.#found = found;
  }

  push(chunk: Uint8Array): void {
    this.#append(this.#afterSkipped(chunk));
    while (this.#next()) {
      // Each turn takes one message.
    }
    if (this.#end - this.#start <= MOST_MESSAGE_BYTES || this.#body !== undefined) return;
    this.#found.onOther();
    this.#skipped = Number.POSITIVE_INFINITY;
    this.#take(this.#end - this.#start);
  }

  /** Handles the end of the stream: a last line may have no line feed. */
  end(): void {
    const rest = this.#buffer.subarray(this.#start, this.#end);
    if (this.#body !== undefined) this.#found.onOther();
    else if (rest.length > 0) this.#found.onMessage(rest);
    this.#take(rest.length);
  }

  #next(): boolean {
    if (this.#body !== undefined) return this.#takeBody(this.#body);
    const rest = this.#buffer.subarray(this.#start, this.#end);
    const begin = rest.subarray(0, HEADER.length).toString("latin1").toLowerCase();
    if (begin === HEADER) return this.#takeHeaders(rest);
    // These bytes may be the first part of a header.
    if (HEADER.startsWith(begin)) return false;
    const from = Math.max(this.#searched, this.#start);
    const at = this.#buffer.subarray(0, this.#end).indexOf(LINE_FEED, from);
    if (at < 0) {
      this.#searched = this.#end;
      return false;
    }
    const line = this.#buffer.subarray(this.#start, at);
    if (line.some((byte) => byte > 0x20)) this.#found.onMessage(line);
    this.#take(line.length + 1);
    return true;
  }

  #takeHeaders(rest: Buffer): boolean {
    const crlf = rest.indexOf("\r\n\r\n");
    const lf = rest.indexOf("\n\n");
    const isShort = crlf >= 0 && (lf < 0 || crlf < lf);
    const length = isShort ? crlf + 4 : lf + 2;
    if (crlf < 0 && lf < 0) {
      if (rest.length < MOST_HEADER_BYTES) return false;
      this.#found.onOther();
      this.#take(rest.length);
      return true;
    }
    const stated = LENGTH.exec(rest.subarray(0, length).toString("latin1"))?.[1];
    this.#take(length);
    if (stated === undefined) this.#found.onOther();
    else this.#body = Number(stated);
    return true;
  }

  #takeBody(length: number): boolean {
    const available = this.#end - this.#start;
    if (length > MOST_MESSAGE_BYTES) {
      this.#found.onOther();
      this.#body = undefined;
      this.#skipped = length - Math.min(length, available);
      this.#take(Math.min(length, available));
      return true;
    }
    if (available < length) return false;
    this.#body = undefined;
    this.#found.onMessage(this.#buffer.subarray(this.#start, this.#start + length));
    this.#take(length);
    return true;
  }

  #afterSkipped(chunk: Uint8Array): Uint8Array {
    if (this.#skipped === 0) return chunk;
    if (this.#skipped !== Number.POSITIVE_INFINITY) {
      const count = Math.min(this.#skipped, chunk.length);
      this.#skipped -= count;
      return chunk.subarray(count);
    }
    const at = chunk.indexOf(LINE_FEED);
    if (at < 0) return chunk.subarray(chunk.length);
    this.#skipped = 0;
    return chunk.subarray(at + 1);
  }

  #take(length: number): void {
    this.#start += length;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    this.#searched = 0;
  }

  /** Appends to the buffer, which doubles when it is full. So a long message is not copied for every chunk. */
  #append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const kept = this.#buffer.subarray(this.#start, this.#end);
      const isRoomy = 2 * (kept.length + chunk.length) <= this.#buffer.length;
      const target = isRoomy ? this.#buffer : Buffer.allocUnsafe(2 * (kept.length + chunk.length));
      kept.copy(target);
      this.#buffer = target;
      this.#searched = Math.max(0, this.#searched - this.#start);
      this.#start = 0;
      this.#end = kept.length;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }
}
