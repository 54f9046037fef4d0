import { HEADER_BYTES, Kind, readId, readKind } from "../../../transports/contract/frame.ts";
import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { payloadMessages } from "../../rpc/payload.ts";
import { arrivedIntact } from "../../rpc/verify.ts";
import { CLEAN, lostAfterMs, type Model, type PreparedModel, type Window, type Wire } from "./model.ts";
import { isEchoOf, sampledChecksumHolds } from "./reply-check.ts";

const WATCH_MS = 100;
const SLICE_MS = 100;

/** One request in flight: the next one starts when the last reply has been verified. */
export const pingPong: Model = {
  id: "ping-pong",
  prepare: ({ link }, { payloadBytes }) => pingPongOver(link, payloadBytes),
};

/** Prepares a ping-pong over any open connection. */
export function pingPongOver(wire: Wire, payloadBytes: number): PreparedModel {
  const messages = payloadMessages(Kind.request, payloadBytes);
  if (wire.face === "event") return { window: (count) => new EventPingPong(wire.client, messages, count).run() };
  return blockingPingPong(wire.connection, messages);
}

class EventPingPong {
  readonly #client: RpcClient;
  readonly #messages: readonly [ReusableMessage, ...ReusableMessage[]];
  readonly #samples: Float64Array;
  #done = 0;
  #startedNs = 0n;
  #sentNs = 0n;
  #request: Uint8Array;
  #corrupted = 0;
  #finish: (problem?: string) => void = () => {};
  readonly #onReply = (reply: Uint8Array | undefined, error: Error | undefined): void => this.#receive(reply, error);

  constructor(client: RpcClient, messages: readonly [ReusableMessage, ...ReusableMessage[]], count: number) {
    this.#client = client;
    this.#messages = messages;
    this.#samples = new Float64Array(count);
    this.#request = messages[0].frame;
  }

  run(): Promise<Window> {
    const { corrupted, unexpected } = this.#client;
    const limitMs = lostAfterMs(this.#request.length);
    return new Promise((resolve) => {
      let seen = -1;
      let stillMs = 0;
      // Unlike a deadline per request, this watch costs nothing per message.
      const watch = setInterval(() => {
        stillMs = this.#done === seen ? stillMs + WATCH_MS : 0;
        seen = this.#done;
        if (this.#client.corrupted > corrupted) this.#finish("a reply arrived damaged");
        else if (stillMs >= limitMs) this.#finish(`a reply did not come within ${limitMs} ms`);
      }, WATCH_MS);
      this.#finish = (problem) => {
        clearInterval(watch);
        this.#finish = () => {};
        resolve(this.#window(this.#client.corrupted - corrupted, this.#client.unexpected - unexpected, problem));
      };
      this.#startedNs = process.hrtime.bigint();
      this.#send();
    });
  }

  #send(): void {
    const message = this.#messages[this.#done % this.#messages.length] as ReusableMessage;
    this.#request = message.frame;
    try {
      this.#sentNs = process.hrtime.bigint();
      if (this.#client.issue(message, Number.POSITIVE_INFINITY, this.#onReply) >= 0) return;
    } catch (error) {
      this.#finish((error as Error).message);
      return;
    }
    void this.#client.writable().then(() => this.#send());
  }

  #receive(reply: Uint8Array | undefined, error: Error | undefined): void {
    if (reply === undefined) {
      this.#finish(error?.message);
      return;
    }
    const intact = isEchoOf(this.#request, reply);
    const now = process.hrtime.bigint();
    this.#samples[this.#done] = Number(now - this.#sentNs);
    if (!intact || !sampledChecksumHolds(reply, this.#done)) this.#corrupted++;
    this.#done++;
    if (this.#done === this.#samples.length) this.#finish();
    else this.#send();
  }

  #window(corrupted: number, unexpected: number, problem: string | undefined): Window {
    const elapsedNs = Number(process.hrtime.bigint() - this.#startedNs);
    const complete = this.#done === this.#samples.length;
    return {
      messages: this.#done,
      elapsedNs,
      samples: complete ? this.#samples : this.#samples.subarray(0, this.#done),
      ...CLEAN,
      lost: complete ? 0 : 1,
      duplicated: unexpected,
      corrupted: corrupted + this.#corrupted,
      ...(problem === undefined ? {} : { problem }),
    };
  }
}

function blockingPingPong(
  connection: BlockingConnection,
  messages: readonly [ReusableMessage, ...ReusableMessage[]],
): PreparedModel {
  const into = new Uint8Array(messages[0].frame.length);
  const limitMs = lostAfterMs(into.length);
  let id = 0;
  return {
    async window(count) {
      const samples = new Float64Array(count);
      let corrupted = 0;
      const startedNs = process.hrtime.bigint();
      const end = (done: number, problem?: string): Window => ({
        messages: done,
        elapsedNs: Number(process.hrtime.bigint() - startedNs),
        samples: samples.subarray(0, done),
        ...CLEAN,
        lost: done === count ? 0 : 1,
        corrupted,
        ...(problem === undefined ? {} : { problem }),
      });
      for (let done = 0; done < count; done++) {
        const message = messages[done % messages.length] as ReusableMessage;
        id = (id + 1) >>> 0;
        const sentNs = process.hrtime.bigint();
        const problem = exchange(connection, message.stamp(id), into, id, limitMs);
        samples[done] = Number(process.hrtime.bigint() - sentNs);
        if (problem === DAMAGED) corrupted++;
        else if (problem !== undefined) return end(done, problem);
        if (!sampledChecksumHolds(into, done)) corrupted++;
      }
      return end(count);
    },
  };
}

const DAMAGED = "a reply arrived damaged";

/** Makes one verified round trip; returns the reason if it failed. */
function exchange(
  connection: BlockingConnection,
  request: Uint8Array,
  into: Uint8Array,
  id: number,
  limitMs: number,
): string | undefined {
  try {
    if (!connection.send(request, limitMs)) return `not sent within ${limitMs} ms`;
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += SLICE_MS) {
      const length = connection.receive(into, SLICE_MS);
      if (length < 0) continue;
      const intact =
        length === into.length &&
        length >= HEADER_BYTES &&
        arrivedIntact(into) &&
        readKind(into) === Kind.reply &&
        readId(into) === id &&
        isEchoOf(request, into);
      return intact ? undefined : DAMAGED;
    }
    return `a reply did not come within ${limitMs} ms`;
  } catch (error) {
    return (error as Error).message;
  }
}
