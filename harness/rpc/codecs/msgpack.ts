import { Packr, Unpackr } from "msgpackr";
import type { Codec } from "./codec.ts";

/** Any MessagePack library can read it: maps with field names, no extension types for plain data. */
export function createMsgpack(): Codec {
  const packr = new Packr({ useRecords: false });
  return {
    id: "msgpack",
    encode: (value) => packr.pack(value),
    decode: (bytes) => packr.unpack(bytes) as unknown,
  };
}

/** The names of an object's fields travel with the first object of its shape; later ones refer to them by number. */
export function createMsgpackRecords(): Codec {
  const packr = new Packr({ sequential: true, useRecords: true });
  const unpackr = new Unpackr({ sequential: true, useRecords: true });
  return {
    id: "msgpack-records",
    encode: (value) => packr.pack(value),
    decode: (bytes) => unpackr.unpack(bytes) as unknown,
  };
}
