import { Encoder } from "cbor-x";
import type { Codec } from "./codec.ts";

/** RFC 8949. Bytes are tagged as such, not as a typed array (RFC 8746), so that every CBOR library reads them. */
export function createCbor(): Codec {
  const encoder = new Encoder({ useRecords: false, tagUint8Array: false, mapsAsObjects: true });
  return {
    id: "cbor",
    encode: (value) => encoder.encode(value),
    decode: (bytes) => encoder.decode(bytes) as unknown,
  };
}
