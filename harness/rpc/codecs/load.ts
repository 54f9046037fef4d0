import type { CodecId } from "../../../scenarios/benchmark.ts";
import type { Codec } from "./codec.ts";

/**
 * Returns a new codec. `msgpack-records` keeps state for each direction: each end of a connection needs its own codec,
 * and must decode all messages in the order of encoding. All others are stateless.
 */
export async function createCodec(id: CodecId): Promise<Codec> {
  return (await loadCodec(id))();
}

/** Loads the library of a codec once; returns a function that makes codecs. @throws TypeError for an unknown id */
export async function loadCodec(id: string): Promise<() => Codec> {
  switch (id as CodecId) {
    case "raw":
      return (await import("./raw.ts")).createRaw;
    case "json":
      return (await import("./json.ts")).createJson;
    case "msgpack":
      return (await import("./msgpack.ts")).createMsgpack;
    case "msgpack-records":
      return (await import("./msgpack.ts")).createMsgpackRecords;
    case "cbor":
      return (await import("./cbor.ts")).createCbor;
    case "structured-clone":
      return (await import("./structured-clone.ts")).createStructuredClone;
    case "struct":
      return (await import("./struct.ts")).createStruct;
    default:
      throw new TypeError(`unknown codec ${id}`);
  }
}
