import type { CodecId } from "../../../scenarios/benchmark.ts";

/**
 * Turns values into bytes and back. `raw` carries bytes only, `struct` the three kinds of values of `corpora.ts`, the
 * others all JSON values, and bytes.
 */
export interface Codec {
  readonly id: CodecId;
  /** @throws TypeError for a value it cannot carry. @returns bytes that stay valid at least until the next `encode` */
  encode(value: unknown): Uint8Array;
  /** @throws when the bytes are not what `encode` produces. Byte fields may share memory with `bytes`. */
  decode(bytes: Uint8Array): unknown;
}
