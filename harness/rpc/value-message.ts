import { bindChecksum, HEADER_BYTES, type Kind, writeHeader } from "../../transports/contract/frame.ts";
import { crc32 } from "./crc32.ts";
import type { Stampable } from "./message.ts";
import { FULL_CHECK_BYTES } from "./verify.ts";

/**
 * A message whose body differs each time. The body is copied in once; the id is stamped at each attempt to send. Larger
 * bodies have no checksum, because the receiver verifies the decoded value instead.
 */
export class ValueMessage implements Stampable {
  readonly #kind: Kind;
  readonly #method: number;
  #frame: Uint8Array;
  #crc = 0;
  /** Value of `status`: the number of a recorded message. */
  status = 0;

  /** @param into memory to reuse if it has the right size */
  constructor(kind: Kind, method: number, into: Uint8Array = new Uint8Array(0)) {
    this.#kind = kind;
    this.#method = method;
    this.#frame = into;
  }

  load(body: Uint8Array): void {
    if (this.#frame.length !== HEADER_BYTES + body.length) this.#frame = new Uint8Array(HEADER_BYTES + body.length);
    this.#frame.set(body, HEADER_BYTES);
    this.#crc = body.length <= FULL_CHECK_BYTES ? crc32(body) : 0;
  }

  stamp(id: number): Uint8Array {
    const length = this.#frame.length - HEADER_BYTES;
    writeHeader(this.#frame, id, this.#kind, this.#method, this.status, length, bindChecksum(this.#crc, id));
    return this.#frame;
  }
}
