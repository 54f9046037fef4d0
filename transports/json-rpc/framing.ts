import { strayLine } from "../support/stray-line.ts";

const LINE_FEED = 0x0a;
const OPENING_BRACE = 0x7b;
const HEADER_END = "\r\n\r\n";
/** Start of both allowed headers: `Content-Length` and `Content-Type`. */
const HEADER_START = "content-";
const MAX_HEADER_BYTES = 4096;

/** Error for bytes that are no message of a framing. Its message describes these bytes. */
export class NoMessage extends Error {}

/** Cuts a stream of bytes into the JSON texts of messages. */
export interface Cutter {
  /** Calls `deliver` with each whole text; it is valid until `deliver` returns. @throws NoMessage */
  push(chunk: Buffer, deliver: (text: Buffer) => void): void;
  /** Called when the stream has ended. @returns true if it ended between two messages @throws NoMessage */
  end(): boolean;
}

/** Way to put JSON texts on a byte stream. */
export interface Framing {
  /** @param limitBytes longest text accepted */
  cutter(limitBytes: number): Cutter;
  wrap(json: string): string;
}

/** One message a line, as tool servers use it: JSON has no line feed outside its escapes, so one ends a message. */
export const LINES: Framing = { cutter: (limitBytes) => new LineCutter(limitBytes), wrap: (json) => `${json}\n` };

/** A `Content-Length` header before each message, as language servers use it. */
export const HEADERS: Framing = {
  cutter: (limitBytes) => new HeaderCutter(limitBytes),
  wrap: (json) => `Content-Length: ${Buffer.byteLength(json)}${HEADER_END}${json}`,
};

/** Describes bytes that are no message, for an error. */
export function describeStray(bytes: Uint8Array): string {
  const line = strayLine(bytes);
  return line === undefined ? "bytes that are no message" : `the line ${line}, which is no message`;
}

/** Bytes of an unfinished message. They are joined once, however many chunks they came in. */
class Pending {
  #parts: Buffer[] = [];
  bytes = 0;

  add(part: Buffer): void {
    if (part.length > 0) this.#parts.push(part);
    this.bytes += part.length;
  }

  /** Returns all parts with `last` after them, and becomes empty. */
  join(last: Buffer): Buffer {
    if (this.bytes === 0) return last;
    const whole = Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.bytes = 0;
    return whole;
  }
}

class LineCutter implements Cutter {
  readonly #limitBytes: number;
  readonly #pending = new Pending();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer, deliver: (text: Buffer) => void): void {
    let at = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, at)) {
      const line = this.#pending.join(chunk.subarray(at, end));
      at = end + 1;
      if (line[0] !== OPENING_BRACE) throw new NoMessage(describeStray(line));
      deliver(line);
    }
    this.#pending.add(chunk.subarray(at));
    if (this.#pending.bytes > this.#limitBytes) throw new NoMessage(`a line of more than ${this.#limitBytes} bytes`);
  }

  end(): boolean {
    const rest = this.#pending.join(Buffer.alloc(0));
    if (rest.length > 0 && rest[0] !== OPENING_BRACE) throw new NoMessage(describeStray(rest));
    return rest.length === 0;
  }
}

class HeaderCutter implements Cutter {
  readonly #limitBytes: number;
  readonly #pending = new Pending();
  /** Length in the header that was read last; -1 before the end of a header. */
  #length = -1;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer, deliver: (text: Buffer) => void): void {
    if (this.#pending.bytes + chunk.length < this.#length) return this.#pending.add(chunk);
    const bytes = this.#pending.join(chunk);
    let at = 0;
    for (;;) {
      if (this.#length < 0) {
        const bodyAt = this.#readHeader(bytes, at);
        if (bodyAt < 0) break;
        at = bodyAt;
      }
      if (bytes.length - at < this.#length) break;
      const text = bytes.subarray(at, at + this.#length);
      at += this.#length;
      this.#length = -1;
      deliver(text);
    }
    this.#pending.add(bytes.subarray(at));
  }

  /** Reads a header. @returns where its body begins, or -1 if the header is not complete @throws NoMessage */
  #readHeader(bytes: Buffer, at: number): number {
    // Refuses bytes that cannot begin a header at once, because the end of a header may never come.
    const start = bytes.toString("latin1", at, at + HEADER_START.length).toLowerCase();
    if (!HEADER_START.startsWith(start)) throw new NoMessage(describeStray(bytes.subarray(at)));
    const end = bytes.indexOf(HEADER_END, at);
    if (end < 0 && bytes.length - at <= MAX_HEADER_BYTES) return -1;
    const header = end < 0 ? "" : bytes.toString("latin1", at, end);
    const length = /^content-length: *(\d{1,15}) *$/im.exec(header)?.[1];
    if (length === undefined) throw new NoMessage(`a header without a length: ${describeStray(bytes.subarray(at))}`);
    if (Number(length) > this.#limitBytes) {
      throw new NoMessage(`a Content-Length of ${length} bytes; the limit is ${this.#limitBytes}`);
    }
    this.#length = Number(length);
    return end + HEADER_END.length;
  }

  end(): boolean {
    return this.#length < 0 && this.#pending.bytes === 0;
  }
}
