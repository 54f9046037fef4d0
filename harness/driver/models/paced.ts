import { Kind } from "../../../transports/contract/frame.ts";
import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import type { Load } from "../../process/load-messages.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { payloadMessages } from "../../rpc/payload.ts";
import { BlockingSlots } from "./blocking-slots.ts";
import { CLEAN, LOST_AFTER_MS, type Model, type Window } from "./model.ts";
import { isEchoOf, sampledChecksumHolds } from "./reply-check.ts";
import { schedule, scheduleMissed } from "./schedule.ts";
import { watchProgress } from "./watch.ts";

/** Most requests that a blocking driver keeps in flight; the others count from their intended start. */
const BLOCKING_SLOTS = 512;
/** A mechanism that needs this many times the planned span will not catch up. */
const GIVE_UP_FACTOR = 4;

type Messages = readonly [ReusableMessage, ...ReusableMessage[]];

/** Open loop: requests start on a busy-polled schedule, and latency counts from the intended start. */
export const paced: Model = {
  id: "paced",
  prepare({ link, transport }, load) {
    const messages = payloadMessages(Kind.request, load.payloadBytes);
    if (link.face === "event") return { window: (count) => new EventPaced(link.client, messages, count, load).run() };
    const slots = Math.min(BLOCKING_SLOTS, transport.capabilities.maxInFlight);
    return { window: async (count) => runBlocking(link.connection, messages, count, load, slots) };
  },
};

interface Lane {
  dueNs: number;
  request: Uint8Array;
  readonly onReply: (reply: Uint8Array | undefined, error: Error | undefined) => void;
}

class EventPaced {
  readonly #client: RpcClient;
  readonly #messages: Messages;
  readonly #rate: number;
  readonly #due: Float64Array;
  readonly #samples: Float64Array;
  readonly #lateness: Float64Array;
  readonly #lanes: Lane[] = [];
  #attempted = 0;
  #sent = 0;
  #done = 0;
  #corrupted = 0;
  #startedNs = 0n;
  #ended = false;
  #finish: (problem?: string) => void = () => {};
  readonly #turn = (): void => this.#poll();

  constructor(client: RpcClient, messages: Messages, count: number, load: Load) {
    this.#client = client;
    this.#messages = messages;
    this.#rate = load.ratePerSecond ?? 1000;
    this.#due = schedule(count, this.#rate, load.arrivals, load.seed);
    this.#samples = new Float64Array(count);
    this.#lateness = new Float64Array(count);
  }

  run(): Promise<Window> {
    const { corrupted, unexpected } = this.#client;
    return new Promise((resolve) => {
      const unwatch = watchProgress(
        () => this.#done + this.#attempted,
        (problem) => this.#finish(problem),
      );
      this.#finish = (problem) => {
        if (this.#ended) return;
        this.#ended = true;
        unwatch();
        const tail = {
          corrupted: this.#client.corrupted - corrupted,
          duplicated: this.#client.unexpected - unexpected,
        };
        resolve(this.#window(tail, problem));
      };
      this.#startedNs = process.hrtime.bigint();
      this.#poll();
    });
  }

  /** Runs one turn of the event loop: sends what is due, then lets the loop poll for replies. Never sleeps. */
  #poll(): void {
    if (this.#ended) return;
    const nowNs = Number(process.hrtime.bigint() - this.#startedNs);
    const count = this.#due.length;
    while (this.#attempted < count && (this.#due[this.#attempted] as number) <= nowNs) {
      this.#lateness[this.#attempted] = nowNs - (this.#due[this.#attempted] as number);
      this.#attempted++;
    }
    try {
      while (this.#sent < this.#attempted && this.#send()) this.#sent++;
    } catch (error) {
      return this.#finish((error as Error).message);
    }
    if (nowNs > GIVE_UP_FACTOR * (this.#due[count - 1] as number) + LOST_AFTER_MS * 1e6) {
      return this.#finish(`the mechanism did not follow: ${this.#done} of ${count} replies in ${nowNs / 1e6} ms`);
    }
    setImmediate(this.#turn);
  }

  #send(): boolean {
    const lane = this.#lanes.pop() ?? this.#newLane();
    const message = this.#messages[this.#sent % this.#messages.length] as ReusableMessage;
    lane.dueNs = this.#due[this.#sent] as number;
    lane.request = message.frame;
    if (this.#client.issue(message, Number.POSITIVE_INFINITY, lane.onReply) >= 0) return true;
    this.#lanes.push(lane);
    return false;
  }

  #newLane(): Lane {
    const lane: Lane = {
      dueNs: 0,
      request: this.#messages[0].frame,
      onReply: (reply, error) => this.#receive(lane, reply, error),
    };
    return lane;
  }

  #receive(lane: Lane, reply: Uint8Array | undefined, error: Error | undefined): void {
    if (this.#ended) return;
    if (reply === undefined) return this.#finish(error?.message);
    const intact = isEchoOf(lane.request, reply);
    this.#samples[this.#done] = Number(process.hrtime.bigint() - this.#startedNs) - lane.dueNs;
    if (!intact || !sampledChecksumHolds(reply, this.#done)) this.#corrupted++;
    this.#done++;
    this.#lanes.push(lane);
    if (this.#done === this.#samples.length) this.#finish();
  }

  #window(tail: { corrupted: number; duplicated: number }, problem: string | undefined): Window {
    const elapsedNs = Number(process.hrtime.bigint() - this.#startedNs);
    const faults = { corrupted: tail.corrupted + this.#corrupted, duplicated: tail.duplicated };
    return openLoopWindow(this.#due, this.#samples.subarray(0, this.#done), this.#lateness, elapsedNs, this.#rate, {
      ...faults,
      ...(problem === undefined ? {} : { problem }),
    });
  }
}

function openLoopWindow(
  due: Float64Array,
  samples: Float64Array,
  lateness: Float64Array,
  elapsedNs: number,
  rate: number,
  rest: { corrupted: number; duplicated: number; problem?: string },
): Window {
  const refused = samples.length === due.length ? scheduleMissed(lateness, due, rate) : undefined;
  return {
    messages: samples.length,
    elapsedNs,
    samples,
    lateness,
    ...CLEAN,
    lost: due.length - samples.length,
    ...rest,
    ...(refused === undefined ? {} : { refused }),
  };
}

function runBlocking(
  connection: BlockingConnection,
  messages: Messages,
  count: number,
  load: Load,
  capacity: number,
): Window {
  const rate = load.ratePerSecond ?? 1000;
  const due = schedule(count, rate, load.arrivals, load.seed);
  const slots = new BlockingSlots(connection, messages[0].frame.length, capacity);
  const samples = new Float64Array(count);
  const lateness = new Float64Array(count);
  const startedNs = process.hrtime.bigint();
  const limitNs = GIVE_UP_FACTOR * (due[count - 1] as number) + LOST_AFTER_MS * 1e6;
  let attempted = 0;
  let sent = 0;
  let done = 0;
  let problem: string | undefined;
  try {
    while (done < count && problem === undefined) {
      const nowNs = Number(process.hrtime.bigint() - startedNs);
      for (; attempted < count && (due[attempted] as number) <= nowNs; attempted++) {
        lateness[attempted] = nowNs - (due[attempted] as number);
      }
      // One at a time: a burst that is due must not keep the loop from the replies that have come.
      if (sent < attempted && !slots.full) {
        const message = messages[sent % messages.length] as ReusableMessage;
        if (slots.send(message, startedNs + BigInt(Math.round(due[sent] as number)), 0)) sent++;
      }
      if (slots.inFlight > 0 && slots.receive(0)) {
        samples[done++] = Number(process.hrtime.bigint() - slots.startedNs);
      }
      if (slots.corrupted > 0) problem = "a reply arrived damaged";
      else if (nowNs > limitNs)
        problem = `the mechanism did not follow: ${done} of ${count} replies in ${nowNs / 1e6} ms`;
    }
  } catch (error) {
    problem = (error as Error).message;
  }
  const elapsedNs = Number(process.hrtime.bigint() - startedNs);
  return openLoopWindow(due, samples.subarray(0, done), lateness, elapsedNs, rate, {
    corrupted: slots.corrupted,
    duplicated: slots.unexpected,
    ...(problem === undefined ? {} : { problem }),
  });
}
