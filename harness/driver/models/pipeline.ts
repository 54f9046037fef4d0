import { Kind } from "../../../transports/contract/frame.ts";
import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { payloadMessages } from "../../rpc/payload.ts";
import { BlockingSlots } from "./blocking-slots.ts";
import { CLEAN, lostAfterMs, type Model, type Window } from "./model.ts";
import { isEchoOf, sampledChecksumHolds } from "./reply-check.ts";
import { watchProgress } from "./watch.ts";

const SLICE_MS = 100;

type Messages = readonly [ReusableMessage, ...ReusableMessage[]];

/** Several requests in flight: sliding (each reply frees a place) or batched (all replies, then all next requests). */
export const pipeline: Model = {
  id: "pipeline",
  prepare({ link }, { payloadBytes, inFlight, batched }) {
    const messages = payloadMessages(Kind.request, payloadBytes);
    if (link.face === "event") {
      return { window: (count) => new EventPipeline(link.client, messages, count, inFlight, batched).run() };
    }
    return { window: async (count) => runBlocking(link.connection, messages, count, inFlight, batched) };
  },
};

/** Place in the pipeline. Its callback is made once, so that a request allocates nothing. */
interface Lane {
  sentNs: bigint;
  request: Uint8Array;
  readonly onReply: (reply: Uint8Array | undefined, error: Error | undefined) => void;
}

class EventPipeline {
  readonly #client: RpcClient;
  readonly #messages: Messages;
  readonly #samples: Float64Array;
  readonly #idle: Lane[];
  readonly #depth: number;
  readonly #batched: boolean;
  #sent = 0;
  #done = 0;
  #corrupted = 0;
  #waiting = false;
  #ended = false;
  #finish: (problem?: string) => void = () => {};

  constructor(client: RpcClient, messages: Messages, count: number, inFlight: number, batched: boolean) {
    this.#client = client;
    this.#messages = messages;
    this.#samples = new Float64Array(count);
    this.#depth = Math.min(inFlight, count);
    this.#batched = batched;
    this.#idle = Array.from({ length: this.#depth }, () => this.#lane());
  }

  #lane(): Lane {
    const lane: Lane = {
      sentNs: 0n,
      request: this.#messages[0].frame,
      onReply: (reply, error) => this.#receive(lane, reply, error),
    };
    return lane;
  }

  run(): Promise<Window> {
    const { corrupted, unexpected } = this.#client;
    const startedNs = process.hrtime.bigint();
    return new Promise((resolve) => {
      const unwatch = watchProgress(
        () => this.#done,
        (problem) => this.#finish(problem),
        lostAfterMs(this.#messages[0].frame.length),
      );
      this.#finish = (problem) => {
        if (this.#ended) return;
        this.#ended = true;
        unwatch();
        const lost = this.#samples.length - this.#done;
        resolve({
          messages: this.#done,
          elapsedNs: Number(process.hrtime.bigint() - startedNs),
          samples: this.#samples.subarray(0, this.#done),
          ...CLEAN,
          lost,
          duplicated: this.#client.unexpected - unexpected,
          corrupted: this.#corrupted + this.#client.corrupted - corrupted,
          ...(problem === undefined ? {} : { problem }),
        });
      };
      this.#fill();
    });
  }

  /** Sends while there are idle lanes, messages left and space in the transport. */
  #fill(): void {
    while (this.#idle.length > 0 && this.#sent < this.#samples.length && !this.#ended) {
      const lane = this.#idle[this.#idle.length - 1] as Lane;
      const message = this.#messages[this.#sent % this.#messages.length] as ReusableMessage;
      lane.request = message.frame;
      try {
        lane.sentNs = process.hrtime.bigint();
        if (this.#client.issue(message, Number.POSITIVE_INFINITY, lane.onReply) < 0) return this.#wait();
      } catch (error) {
        return this.#finish((error as Error).message);
      }
      this.#idle.pop();
      this.#sent++;
    }
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    void this.#client.writable().then(() => {
      this.#waiting = false;
      this.#fill();
    });
  }

  #receive(lane: Lane, reply: Uint8Array | undefined, error: Error | undefined): void {
    if (this.#ended) return;
    if (reply === undefined) return this.#finish(error?.message);
    const intact = isEchoOf(lane.request, reply);
    this.#samples[this.#done] = Number(process.hrtime.bigint() - lane.sentNs);
    if (!intact || !sampledChecksumHolds(reply, this.#done)) this.#corrupted++;
    this.#done++;
    this.#idle.push(lane);
    if (this.#done === this.#samples.length) this.#finish();
    else if (!this.#batched || this.#idle.length === this.#depth) this.#fill();
  }
}

function runBlocking(
  connection: BlockingConnection,
  messages: Messages,
  count: number,
  inFlight: number,
  batched: boolean,
): Window {
  const slots = new BlockingSlots(connection, messages[0].frame.length, inFlight);
  const samples = new Float64Array(count);
  const limitMs = lostAfterMs(messages[0].frame.length);
  const startedNs = process.hrtime.bigint();
  let sent = 0;
  let done = 0;
  let stillMs = 0;
  let problem: string | undefined;
  try {
    while (done < count && problem === undefined) {
      if (!batched || slots.inFlight === 0) {
        // If replies are missing, does not wait for a full transport: the server may be waiting for us to read them.
        const next = (): ReusableMessage => messages[sent % messages.length] as ReusableMessage;
        while (sent < count && slots.send(next(), process.hrtime.bigint(), 0)) sent++;
      }
      if (slots.receive(SLICE_MS)) {
        samples[done++] = Number(process.hrtime.bigint() - slots.startedNs);
        stillMs = 0;
      } else {
        stillMs += SLICE_MS;
        if (slots.corrupted > 0) problem = "a reply arrived damaged";
        else if (stillMs >= limitMs) problem = `a reply did not come within ${limitMs} ms`;
      }
    }
  } catch (error) {
    problem = (error as Error).message;
  }
  return {
    messages: done,
    elapsedNs: Number(process.hrtime.bigint() - startedNs),
    samples: samples.subarray(0, done),
    ...CLEAN,
    lost: count - done,
    duplicated: slots.unexpected,
    corrupted: slots.corrupted,
    ...(problem === undefined ? {} : { problem }),
  };
}
