import { bindChecksum, HEADER_BYTES, type Kind, writeHeader } from "../../transports/contract/frame.ts";
import { crc32 } from "./crc32.ts";

/** `method` of the last one-way message of a stream; all others have 0. */
export const STREAM_LAST = 1;
/** `method` of a one-way message whose arrival the receiver stamps; the last one of the stream has STREAM_LAST. */
export const STREAM_TIMED = 2;

/** A message without its id. */
export interface Stampable {
  /** Sets this id in the frame and returns the whole frame. */
  stamp(id: number): Uint8Array;
}

/**
 * A frame built once and sent many times. Only the id and the checksum, which depends on it, change, so sending does
 * not read the body.
 */
export class ReusableMessage implements Stampable {
  /** Header and body; passed to `send` as it is. */
  readonly frame: Uint8Array;
  /** Frame whose body, behind any header, is that of the reply: the same frame for an echo. */
  readonly expected: Uint8Array;
  readonly #kind: Kind;
  readonly #method: number;
  readonly #status: number;
  readonly #crc: number;

  /**
   * @param reply.status value of `status`: with `Method.replay`, the number of the message
   * @param reply.body body of the reply; absent: an echo
   */
  constructor(kind: Kind, method: number, body: Uint8Array, reply: { status?: number; body?: Uint8Array } = {}) {
    this.frame = framed(body);
    this.expected = reply.body === undefined ? this.frame : framed(reply.body);
    this.#kind = kind;
    this.#method = method;
    this.#status = reply.status ?? 0;
    this.#crc = crc32(body);
  }

  /** Sets this id in the frame and returns the frame. */
  stamp(id: number, method: number = this.#method): Uint8Array {
    const length = this.frame.length - HEADER_BYTES;
    writeHeader(this.frame, id, this.#kind, method, this.#status, length, bindChecksum(this.#crc, id));
    return this.frame;
  }
}

function framed(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + body.length);
  frame.set(body, HEADER_BYTES);
  return frame;
}

/** Builds a frame for one message. */
export function buildFrame(kind: Kind, id: number, method: number, status: number, body: Uint8Array): Uint8Array {
  const frame = framed(body);
  writeHeader(frame, id, kind, method, status, body.length, bindChecksum(crc32(body), id));
  return frame;
}

/** Returns a copy of borrowed bytes. `Buffer.slice` does not copy, and many libraries pass Buffers. */
export function copyOf(bytes: Uint8Array, from = 0): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, from);
}
