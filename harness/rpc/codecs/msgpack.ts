import { Packr, Unpackr } from "msgpackr";
import type { Codec } from "./codec.ts";

/** MessagePack that any library can read: maps with field names, no extension types for plain data. */
export function createMsgpack(): Codec {
  const packr = new Packr({ useRecords: false });
  return {
    id: "msgpack",
    encode: (value) => packr.pack(value),
    decode: (bytes) => packr.unpack(bytes) as unknown,
  };
}

/** MessagePack with records: the first object of a shape names its fields; later ones refer to them by number. */
export function createMsgpackRecords(): Codec {
  const packr = new Packr({ sequential: true, useRecords: true });
  const unpackr = new Unpackr({ sequential: true, useRecords: true });
  return {
    id: "msgpack-records",
    encode: (value) => packr.pack(value),
    decode: (bytes) => unpackr.unpack(bytes) as unknown,
  };
}
