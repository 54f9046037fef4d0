import type { CodecId } from "../../../scenarios/benchmark.ts";

/**
 * A codec turns values into bytes and back. `raw` carries bytes only, `struct` the three kinds of values of `corpora.ts`,
 * the others whatever JSON can say, and bytes.
 */
export interface Codec {
  readonly id: CodecId;
  /** @throws TypeError for a value this codec cannot carry. @returns bytes that stay valid until the next `encode` at least */
  encode(value: unknown): Uint8Array;
  /** @throws when the bytes are not what `encode` produces. Byte fields may share memory with `bytes`. */
  decode(bytes: Uint8Array): unknown;
}
