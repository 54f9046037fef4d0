import { HEADER_BYTES, Kind, readId, readMethod, readStatus, Status } from "../../transports/contract/frame.ts";
import type { Codec } from "../rpc/codecs/codec.ts";
import { loadCodec } from "../rpc/codecs/load.ts";
import { buildFrame } from "../rpc/message.ts";
import { ValueMessage } from "../rpc/value-message.ts";

/** Server side of `codec-round-trip`: decodes and encodes. Each connection has its own codec, since some keep state. */
export class Recoder<Connection extends object> {
  readonly #make: () => Codec;
  readonly #codecs = new WeakMap<Connection, Codec>();
  readonly #responses: readonly unknown[] | undefined;

  /** @param responses values of recorded responses, which it returns instead of the value of the request */
  constructor(make: () => Codec, responses?: readonly unknown[]) {
    this.#make = make;
    this.#responses = responses;
  }

  /**
   * Returns the reply, with the value decoded and encoded again, or with status `failed`.
   *
   * @param into memory that is reused if the reply has its size
   */
  answer(request: Uint8Array, connection: Connection, into: Uint8Array): Uint8Array {
    const id = readId(request);
    const method = readMethod(request);
    try {
      const codec = this.#codecOf(connection);
      const reply = new ValueMessage(Kind.reply, method, into);
      const value = codec.decode(request.subarray(HEADER_BYTES));
      reply.load(codec.encode(this.#responses === undefined ? value : this.#responses[readStatus(request)]));
      return reply.stamp(id);
    } catch {
      return buildFrame(Kind.reply, id, method, Status.failed, new Uint8Array(0));
    }
  }

  #codecOf(connection: Connection): Codec {
    let codec = this.#codecs.get(connection);
    if (codec === undefined) {
      codec = this.#make();
      this.#codecs.set(connection, codec);
    }
    return codec;
  }
}

/** Loads a codec before the first request, as a blocking server cannot wait. @throws TypeError for an unknown codec */
export async function loadRecoder<Connection extends object>(
  id: string | undefined,
  responses?: readonly unknown[],
): Promise<Recoder<Connection> | undefined> {
  return id === undefined ? undefined : new Recoder(await loadCodec(id), responses);
}
