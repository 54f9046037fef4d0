import { CORPUS_IDS, type CodecId } from "../../../scenarios/benchmark.ts";
import { Method } from "../../../scenarios/check.ts";
import { HEADER_BYTES, Kind, readId, readKind, readStatus } from "../../../transports/contract/frame.ts";
import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import { type RpcClient, statusError } from "../../rpc/client.ts";
import type { Codec } from "../../rpc/codecs/codec.ts";
import { createCodec } from "../../rpc/codecs/load.ts";
import { sizedValues } from "../../rpc/codecs/sized.ts";
import { sameValue, valuesOf } from "../../rpc/codecs/values.ts";
import { type Groups, hasResponses, recordedAt, requestValuesOf, responseValuesOf } from "../../rpc/recorded.ts";
import { ValueMessage } from "../../rpc/value-message.ts";
import { arrivedIntact } from "../../rpc/verify.ts";
import { CLEAN, type Link, LOST_AFTER_MS, type Model, type Window } from "./model.ts";
import { RecordedRequests, type Replay, replayOf } from "./recorded-requests.ts";
import { watchProgress } from "./watch.ts";

const SLICE_MS = 100;
/** Spare bytes for a reply that is larger than usual: the first one of a stateful codec. */
const SPARE_BYTES = 4096;

/** Round trip with four conversions: encode, send, decode and encode at the peer, receive, decode. */
export const codecRoundTrip: Model = {
  id: "codec-round-trip",
  async prepare({ link, start }, { corpus: wanted, payloadBytes }) {
    if (start.codec === undefined) throw new Error("codec-round-trip needs a codec");
    const id = start.codec as CodecId;
    const corpus = CORPUS_IDS.find((each) => each === wanted);
    const replay = replayOf(start);
    const made = async (): Promise<Values> => {
      const requests = corpus === undefined ? await sizedValues(id, payloadBytes) : valuesOf(id, corpus);
      return { requests, replies: requests };
    };
    const exchange = new Exchange(await codecOf(link, id), replay === undefined ? await made() : valuesIn(replay));
    if (link.face === "event") return { window: (count) => overEvents(link.client, exchange, count) };
    const largestBytes = replay === undefined ? payloadBytes : new RecordedRequests(replay.file).largestBytes;
    const into = new Uint8Array(HEADER_BYTES + 2 * largestBytes + SPARE_BYTES);
    return { window: async (count) => overBlocking(link.connection, exchange, count, into) };
  },
};

/** Codec of each connection, for all its cells, since the peer also keeps the state of its codec that long. */
const codecs = new WeakMap<Link, Codec>();

async function codecOf(link: Link, id: CodecId): Promise<Codec> {
  const codec = codecs.get(link) ?? (await createCodec(id));
  codecs.set(link, codec);
  return codec;
}

/** Values that are sent in turn, and those that come back. */
interface Values {
  readonly requests: readonly unknown[];
  readonly replies: readonly unknown[];
  readonly groups?: Groups;
}

function valuesIn({ file, groups }: Replay): Values {
  const requests = requestValuesOf(file);
  const replies = hasResponses(file) ? responseValuesOf(file) : requests;
  return { requests, replies, ...(groups === undefined ? {} : { groups }) };
}

/** Conversions of the driver, and the samples, which include all four conversions. */
class Exchange {
  readonly message = new ValueMessage(Kind.request, Method.recode);
  readonly #codec: Codec;
  readonly #values: Values;
  #samples = new Float64Array(0);
  #startedNs = 0n;
  #sentNs = 0n;
  #corrupted = 0;
  done = 0;

  constructor(codec: Codec, values: Values) {
    this.#codec = codec;
    this.#values = values;
  }

  begin(count: number): void {
    this.#samples = new Float64Array(count);
    this.#corrupted = 0;
    this.done = 0;
    this.#startedNs = process.hrtime.bigint();
  }

  encode(): void {
    const number = this.#numberOf(this.done);
    this.message.status = number;
    this.#sentNs = process.hrtime.bigint();
    this.message.load(this.#codec.encode(this.#values.requests[number]));
  }

  /** Takes a reply with a checked header. Verifies the value after the clock has stopped. */
  decode(reply: Uint8Array): string | undefined {
    const refusal = statusError(readStatus(reply));
    if (refusal !== undefined) return refusal.message;
    let value: unknown;
    try {
      value = this.#codec.decode(reply.subarray(HEADER_BYTES));
    } catch (error) {
      return `a reply could not be decoded: ${(error as Error).message}`;
    }
    this.#samples[this.done] = Number(process.hrtime.bigint() - this.#sentNs);
    if (!sameValue(value, this.#values.replies[this.#numberOf(this.done)])) this.#corrupted++;
    this.done++;
    return undefined;
  }

  #numberOf(index: number): number {
    return recordedAt(index, this.#samples.length, this.#values.requests.length);
  }

  #groupOf(): Pick<Window, "groupOf" | "groupNames"> {
    const { groups } = this.#values;
    if (groups === undefined) return {};
    const numberOf = (_: unknown, index: number): number => groups.of[this.#numberOf(index)] as number;
    return { groupOf: Float64Array.from({ length: this.done }, numberOf), groupNames: groups.names };
  }

  get complete(): boolean {
    return this.done === this.#samples.length;
  }

  end(problem: string | undefined, duplicated = 0, corrupted = 0): Window {
    return {
      messages: this.done,
      elapsedNs: Number(process.hrtime.bigint() - this.#startedNs),
      samples: this.#samples.subarray(0, this.done),
      ...CLEAN,
      lost: this.complete ? 0 : 1,
      duplicated,
      corrupted: this.#corrupted + corrupted,
      ...this.#groupOf(),
      ...(problem === undefined ? {} : { problem }),
    };
  }
}

function overEvents(client: RpcClient, exchange: Exchange, count: number): Promise<Window> {
  const { corrupted, unexpected } = client;
  return new Promise((resolve) => {
    let ended = false;
    const finish = (problem?: string): void => {
      if (ended) return;
      ended = true;
      stopWatch();
      resolve(exchange.end(problem, client.unexpected - unexpected, client.corrupted - corrupted));
    };
    const stopWatch = watchProgress(() => exchange.done, finish);
    const next = (): void => {
      exchange.encode();
      issue();
    };
    const issue = (): void => {
      if (ended) return;
      try {
        if (client.issue(exchange.message, Number.POSITIVE_INFINITY, receive) >= 0) return;
      } catch (error) {
        finish((error as Error).message);
        return;
      }
      void client.writable().then(issue);
    };
    const receive = (reply: Uint8Array | undefined, error: Error | undefined): void => {
      const problem = reply === undefined ? (error?.message ?? "no reply") : exchange.decode(reply);
      if (problem !== undefined || exchange.complete) finish(problem);
      else next();
    };
    exchange.begin(count);
    next();
  });
}

function overBlocking(connection: BlockingConnection, exchange: Exchange, count: number, into: Uint8Array): Window {
  exchange.begin(count);
  try {
    while (!exchange.complete) {
      exchange.encode();
      const problem = roundTrip(connection, exchange, into);
      if (problem !== undefined) return exchange.end(problem);
    }
  } catch (error) {
    return exchange.end((error as Error).message);
  }
  return exchange.end(undefined);
}

function roundTrip(connection: BlockingConnection, exchange: Exchange, into: Uint8Array): string | undefined {
  const id = (exchange.done + 1) >>> 0;
  if (!connection.send(exchange.message.stamp(id), LOST_AFTER_MS)) return `not sent within ${LOST_AFTER_MS} ms`;
  for (let waitedMs = 0; waitedMs < LOST_AFTER_MS; waitedMs += SLICE_MS) {
    const length = connection.receive(into, SLICE_MS);
    if (length < 0) continue;
    const reply = into.subarray(0, length);
    if (!arrivedIntact(reply) || readKind(reply) !== Kind.reply || readId(reply) !== id)
      return "a reply arrived damaged";
    return exchange.decode(reply);
  }
  return `a reply did not come within ${LOST_AFTER_MS} ms`;
}
