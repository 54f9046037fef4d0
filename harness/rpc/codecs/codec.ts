import type { CodecId } from "../../../scenarios/benchmark.ts";

/**
 * Converts values to bytes and back. `raw` carries only bytes, `struct` the three kinds of values of `corpora.ts`; all
 * others carry JSON values and bytes.
 */
export interface Codec {
  readonly id: CodecId;
  /** @throws TypeError for a value it cannot carry @returns bytes that are valid at least until the next `encode` */
  encode(value: unknown): Uint8Array;
  /** @returns the value; its byte fields may share memory with `bytes` @throws if `encode` does not make such bytes */
  decode(bytes: Uint8Array): unknown;
}
