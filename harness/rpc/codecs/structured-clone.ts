import { deserialize, serialize } from "node:v8";
import type { Codec } from "./codec.ts";

/** V8's own format. Both ends need V8, and the reader's must not be older than the writer's. */
export function createStructuredClone(): Codec {
  return { id: "structured-clone", encode: (value) => serialize(value), decode: (bytes) => deserialize(bytes) };
}
