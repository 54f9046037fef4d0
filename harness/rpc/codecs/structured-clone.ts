import { deserialize, serialize } from "node:v8";
import type { Codec } from "./codec.ts";

/** V8's own format: both ends need V8, and the reader's must not be older (it is backward compatible). */
export function createStructuredClone(): Codec {
  return { id: "structured-clone", encode: (value) => serialize(value), decode: (bytes) => deserialize(bytes) };
}
