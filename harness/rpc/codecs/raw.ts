import type { Codec } from "./codec.ts";

export function createRaw(): Codec {
  return {
    id: "raw",
    encode(value) {
      if (value instanceof Uint8Array) return value;
      throw new TypeError("raw carries bytes only; choose json, msgpack or another codec for values");
    },
    decode: (bytes) => bytes,
  };
}
