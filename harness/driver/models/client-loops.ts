/** Loops of a client over both faces. Its requests have a schedule, or each follows the reply to the last one. */
import type { BlockingConnection } from "../../../transports/contract/transport.ts";
import { Deadline } from "../../../transports/support/deadline.ts";
import type { RpcClient } from "../../rpc/client.ts";
import type { ReusableMessage } from "../../rpc/message.ts";
import { BlockingSlots } from "./blocking-slots.ts";
import type { ClientWindow } from "./client-window.ts";
import { CLEAN } from "./model.ts";
import { isEchoOf, sameBody, sampledChecksumHolds } from "./reply-check.ts";
import { scheduleMissed } from "./schedule.ts";
import { watchProgress } from "./watch.ts";

/** Maximum number of requests that a blocking client keeps in flight; the others wait, which counts as latency. */
export const BLOCKING_SLOTS = 512;
const SLICE_MS = 100;
/** Multiple of the planned time after which the window is given up: the mechanism will not catch up. */
const GIVE_UP_FACTOR = 4;
/** Largest lateness of a timer, ms; the rest of a wait uses a more precise sleep. */
const TIMER_MARGIN_MS = 0.2;
/** Longest time that `setTimeout` can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Parameters of one client's window, for its loops. */
export interface Task {
  readonly count: number;
  readonly requestOf: (index: number) => ReusableMessage;
  /** Intended starts, ns after `startNs`, ascending; null: each request starts at the reply to the one before. */
  readonly due: Float64Array | null;
  readonly startNs: bigint;
  /** Rate of this client. */
  readonly ratePerSecond: number;
  /** Time after which a missing reply counts as lost. */
  readonly lostMs: number;
  readonly largestBytes: number;
  /** True: every byte of every reply is compared with what is expected, outside the latency. */
  readonly comparesReplies?: boolean;
  /** True: the client polls the clock for its schedule. False: it sleeps between requests, as a real client does. */
  readonly polls: boolean;
}

const bell = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread; to be used only while nothing can arrive. */
export function sleepMs(ms: number): void {
  if (ms > 0) Atomics.wait(bell, 0, 0, ms);
}

/** Counters for the loops of both faces. */
class Progress {
  readonly task: Task;
  readonly samples: Float64Array;
  readonly lateness: Float64Array;
  /** Index of the request of each sample. */
  readonly order: Uint32Array;
  /** Numbers of requests that were due so far, that were sent, and that were answered. */
  attempted = 0;
  sent = 0;
  done = 0;
  corrupted = 0;

  constructor(task: Task) {
    this.task = task;
    this.samples = new Float64Array(task.count);
    this.lateness = new Float64Array(task.due === null ? 0 : task.count);
    this.order = new Uint32Array(task.count);
  }

  /** Returns the time since the start of the window, ns. */
  now(): number {
    return Number(process.hrtime.bigint() - this.task.startNs);
  }

  /** Counts the requests that are due. */
  attempt(nowNs: number): void {
    const { due, count } = this.task;
    if (due === null) {
      this.attempted = Math.min(count, this.done + 1);
      return;
    }
    while (this.attempted < count && (due[this.attempted] as number) <= nowNs) {
      this.lateness[this.attempted] = nowNs - (due[this.attempted] as number);
      this.attempted++;
    }
  }

  /** Returns the time until the next request, ms; Infinity if none is scheduled. */
  untilNextMs(nowNs: number): number {
    return ((this.task.due?.[this.attempted] ?? Number.POSITIVE_INFINITY) - nowNs) / 1e6;
  }

  get limitNs(): number {
    return GIVE_UP_FACTOR * (this.task.due?.at(-1) ?? Number.POSITIVE_INFINITY) + this.task.lostMs * 1e6;
  }

  get behind(): string {
    const { count } = this.task;
    return `the mechanism did not follow: ${this.done} of ${count} replies in ${Math.round(this.now() / 1e6)} ms`;
  }

  window(faults: { corrupted: number; duplicated: number }, problem: string | undefined): ClientWindow {
    const { count, due, ratePerSecond, startNs } = this.task;
    const isComplete = this.done === count;
    const refused = due !== null && isComplete ? scheduleMissed(this.lateness, due, ratePerSecond) : undefined;
    return {
      ...CLEAN,
      startedNs: startNs,
      elapsedNs: this.now(),
      messages: this.done,
      samples: this.samples.subarray(0, this.done),
      order: this.order.subarray(0, this.done),
      // In a closed loop one request is missing; in an open loop, all that have no reply.
      lost: isComplete ? 0 : due === null ? 1 : count - this.done,
      corrupted: faults.corrupted + this.corrupted,
      duplicated: faults.duplicated,
      ...(due === null ? {} : { lateness: this.lateness.subarray(0, this.attempted) }),
      ...(problem === undefined ? {} : { problem }),
      ...(refused === undefined ? {} : { refused }),
    };
  }
}

/** Slot for one request in flight. Its callback is made once, so that a request allocates nothing. */
interface Lane {
  startedNs: number;
  index: number;
  /** Frame with the body of the reply. */
  expected: Uint8Array;
  readonly onReply: (reply: Uint8Array | undefined, error: Error | undefined) => void;
}

export class EventWindow {
  readonly #client: RpcClient;
  readonly #task: Task;
  readonly #progress: Progress;
  readonly #lanes: Lane[] = [];
  #isWaiting = false;
  #hasEnded = false;
  #finish: (problem?: string) => void = () => {};
  readonly #turn = (): void => this.#keepSchedule();

  constructor(client: RpcClient, task: Task) {
    this.#client = client;
    this.#task = task;
    this.#progress = new Progress(task);
  }

  run(): Promise<ClientWindow> {
    const { corrupted, unexpected } = this.#client;
    const progress = this.#progress;
    return new Promise((resolve) => {
      const unwatch = watchProgress(
        // While no reply is missing, this changes all the time, so the watch does not end the window.
        () => (progress.attempted === progress.done ? -performance.now() : progress.done),
        (problem) => this.#finish(problem),
        this.#task.lostMs,
      );
      const limitMs = (progress.limitNs - progress.now()) / 1e6;
      const limit = new Deadline(limitMs, () => this.#finish(progress.behind));
      this.#finish = (problem) => {
        if (this.#hasEnded) return;
        this.#hasEnded = true;
        unwatch();
        limit.clear();
        const faults = {
          corrupted: this.#client.corrupted - corrupted,
          duplicated: this.#client.unexpected - unexpected,
        };
        resolve(progress.window(faults, problem));
      };
      this.#keepSchedule();
    });
  }

  /** Sends the requests that are due. Then polls or sleeps, depending on the time to the next one and open replies. */
  #keepSchedule(): void {
    const progress = this.#progress;
    for (;;) {
      if (this.#hasEnded) return;
      const nowNs = progress.now();
      progress.attempt(nowNs);
      this.#send();
      if (this.#task.polls) {
        setImmediate(this.#turn);
        return;
      }
      const waitMs = progress.untilNextMs(progress.now());
      if (waitMs === Number.POSITIVE_INFINITY) return;
      const timerMs = Math.floor(waitMs - TIMER_MARGIN_MS);
      if (timerMs >= 1) {
        setTimeout(this.#turn, Math.min(timerMs, LONGEST_TIMER_MS));
        return;
      }
      if (this.#client.inFlight > 0 || progress.sent < progress.attempted) {
        // Does not use a timer, since a reply may come before it would fire.
        setImmediate(this.#turn);
        return;
      }
      sleepMs(waitMs);
    }
  }

  #send(): void {
    const progress = this.#progress;
    try {
      while (progress.sent < progress.attempted && this.#issue()) progress.sent++;
    } catch (error) {
      return this.#finish((error as Error).message);
    }
    // A client that polls tries again at its next turn.
    if (progress.sent === progress.attempted || this.#task.polls || this.#isWaiting || this.#hasEnded) return;
    this.#isWaiting = true;
    void this.#client.writable().then(() => {
      this.#isWaiting = false;
      if (!this.#hasEnded) this.#send();
    });
  }

  #issue(): boolean {
    const progress = this.#progress;
    const lane = this.#lanes.pop() ?? this.#newLane();
    const message = this.#task.requestOf(progress.sent);
    lane.index = progress.sent;
    lane.expected = message.expected;
    lane.startedNs = this.#task.due?.[progress.sent] ?? progress.now();
    if (this.#client.issue(message, Number.POSITIVE_INFINITY, lane.onReply) >= 0) return true;
    this.#lanes.push(lane);
    return false;
  }

  #newLane(): Lane {
    const lane: Lane = {
      startedNs: 0,
      index: 0,
      expected: new Uint8Array(0),
      onReply: (reply, error) => this.#receive(lane, reply, error),
    };
    return lane;
  }

  #receive(lane: Lane, reply: Uint8Array | undefined, error: Error | undefined): void {
    if (this.#hasEnded) return;
    if (reply === undefined) return this.#finish(error?.message);
    const progress = this.#progress;
    const isIntact = isEchoOf(lane.expected, reply);
    progress.samples[progress.done] = progress.now() - lane.startedNs;
    progress.order[progress.done] = lane.index;
    const isWhole = this.#task.comparesReplies
      ? sameBody(lane.expected, reply)
      : sampledChecksumHolds(reply, progress.done);
    if (!isIntact || !isWhole) progress.corrupted++;
    progress.done++;
    this.#lanes.push(lane);
    if (progress.done === this.#task.count) return this.#finish();
    if (this.#task.due !== null) return;
    progress.attempt(0);
    this.#send();
  }
}

export class BlockingWindow {
  readonly #task: Task;
  readonly #progress: Progress;
  readonly #slots: BlockingSlots;
  /** Last time at which a reply came or none was missing, ns after the start. */
  #movedNs = 0;

  constructor(connection: BlockingConnection, task: Task, slots: number) {
    this.#task = task;
    this.#progress = new Progress(task);
    this.#slots = new BlockingSlots(connection, task.largestBytes, slots, task.comparesReplies);
  }

  run(): ClientWindow {
    let problem: string | undefined;
    try {
      while (this.#progress.done < this.#task.count && problem === undefined) {
        const nowNs = this.#progress.now();
        this.#step(nowNs);
        problem = this.#problem(nowNs);
      }
    } catch (error) {
      problem = (error as Error).message;
    }
    const { corrupted, unexpected: duplicated } = this.#slots;
    return this.#progress.window({ corrupted, duplicated }, problem);
  }

  /** Sends and receives one message, or sleeps. Only one, so that a burst of requests does not delay replies. */
  #step(nowNs: number): void {
    const progress = this.#progress;
    const { due, requestOf, startNs, polls } = this.#task;
    if (progress.attempted === progress.done) this.#movedNs = nowNs;
    progress.attempt(nowNs);
    if (progress.sent < progress.attempted && !this.#slots.full) {
      const startedNs =
        due === null ? process.hrtime.bigint() : startNs + BigInt(Math.round(due[progress.sent] as number));
      // If nothing is in flight, waits for space in the transport; otherwise receiving a reply may free space.
      const sendMs = !polls && this.#slots.inFlight === 0 ? 1 : 0;
      if (this.#slots.send(requestOf(progress.sent), startedNs, sendMs, progress.sent)) progress.sent++;
    }
    if (polls) {
      if (this.#slots.inFlight > 0) this.#receive(0);
      return;
    }
    const waitMs = progress.untilNextMs(progress.now());
    if (this.#slots.inFlight === 0) {
      if (progress.sent === progress.attempted) sleepMs(Math.min(waitMs, SLICE_MS));
      return;
    }
    const canSend = progress.sent < progress.attempted && !this.#slots.full;
    const receiveMs = canSend ? 0 : Math.min(SLICE_MS, Math.max(0, Math.floor(waitMs - TIMER_MARGIN_MS)));
    this.#receive(receiveMs);
  }

  #receive(timeoutMs: number): void {
    if (!this.#slots.receive(timeoutMs)) return;
    const clockNs = process.hrtime.bigint();
    this.#progress.order[this.#progress.done] = this.#slots.index;
    this.#progress.samples[this.#progress.done++] = Number(clockNs - this.#slots.startedNs);
    this.#movedNs = Number(clockNs - this.#task.startNs);
  }

  #problem(nowNs: number): string | undefined {
    const progress = this.#progress;
    if (this.#slots.corrupted > 0) return "a reply arrived damaged";
    if (nowNs - this.#movedNs > this.#task.lostMs * 1e6) return `a reply did not come within ${this.#task.lostMs} ms`;
    return nowNs > progress.limitNs ? progress.behind : undefined;
  }
}
