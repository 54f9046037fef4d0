import { writeFileSync } from "node:fs";
import type { Load, LoadOrder } from "../../process/load-messages.ts";
import { recordedAt } from "../../rpc/recorded.ts";
import { BLOCKING_SLOTS, BlockingWindow, EventWindow, sleepMs, type Task } from "./client-loops.ts";
import type { ClientWindow } from "./client-window.ts";
import { RequestMix, type Requests } from "./mix.ts";
import { lostAfterMs, type Wire } from "./model.ts";
import { RecordedRequests, type Replay } from "./recorded-requests.ts";
import { schedule } from "./schedule.ts";

/** Client of a workload, which sleeps between its requests as a real client does. */
export class WorkloadClient {
  readonly #wire: Wire;
  readonly #load: Load;
  readonly #client: number;
  readonly #slots: number;
  readonly #requests: Requests;
  /** Requests of the warm-up; the same where the load has no work. */
  readonly #withoutWork: Requests;
  readonly #replay: Replay | undefined;

  /**
   * @param client number of this client among `load.clients`
   * @param replay recorded messages that it sends instead of those of the load
   */
  constructor(wire: Wire, load: Load, client: number, maxInFlight: number, replay?: Replay) {
    this.#wire = wire;
    this.#load = load;
    this.#client = client;
    this.#slots = load.ratePerSecond === null ? 1 : Math.min(BLOCKING_SLOTS, maxInFlight);
    this.#replay = replay;
    this.#requests = replay === undefined ? new RequestMix(load) : new RecordedRequests(replay.file);
    this.#withoutWork = load.workMicros ? new RequestMix({ ...load, workMicros: 0 }) : this.#requests;
    setTimerSlack(FINEST_SLACK_NS);
  }

  async window(order: LoadOrder): Promise<ClientWindow> {
    const task = this.#taskOf(order);
    sleepUntil(task.startNs);
    const { face } = this.#wire;
    const window =
      face === "event"
        ? await new EventWindow(this.#wire.client, task).run()
        : new BlockingWindow(this.#wire.connection, task, this.#slots).run();
    return { ...window, ...this.#groupsOf(window, order) };
  }

  /** Returns the group of each sample, in the order of the samples; nothing where latencies are not grouped. */
  #groupsOf({ order = new Uint32Array(0) }: ClientWindow, { messages }: LoadOrder): Pick<ClientWindow, "groupOf"> {
    const groups = this.#replay?.groups;
    if (groups === undefined) return {};
    const { clients } = this.#load;
    const groupOf = (index: number): number =>
      groups.of[recordedAt(index * clients + this.#client, messages * clients, groups.of.length)] as number;
    return { groupOf: Float64Array.from(order, groupOf) };
  }

  end(): void {
    setTimerSlack(DEFAULT_SLACK_NS);
  }

  #taskOf({ messages, ratePerSecond, seed, startNs, withoutWork }: LoadOrder): Task {
    const { clients, workMicros = 0, arrivals } = this.#load;
    const requests = withoutWork ? this.#withoutWork : this.#requests;
    const rate = ratePerSecond === null ? 0 : ratePerSecond / clients;
    return {
      count: messages,
      requestOf: requests.draw(messages, this.#client, clients, seed),
      due: ratePerSecond === null ? null : this.#dueOf(messages, rate, arrivals, seed),
      startNs: BigInt(startNs),
      ratePerSecond: rate,
      lostMs: lostAfterMs(this.#requests.largestBytes) + Math.ceil((2 * clients * workMicros) / 1000),
      largestBytes: this.#requests.largestBytes,
      comparesReplies: this.#replay !== undefined,
      polls: false,
    };
  }

  /** Returns the intended starts. Fixed: clients take turns. Poisson: each has its own, with its part of the rate. */
  #dueOf(count: number, rate: number, arrivals: Load["arrivals"], seed: number): Float64Array {
    const due = schedule(count, rate, arrivals, seed + this.#client);
    const offsetNs = ((1e9 / rate) * this.#client) / this.#load.clients;
    return arrivals === "fixed" ? due.map((at) => at + offsetNs) : due;
  }
}

const FINEST_SLACK_NS = 1000;
/** Value that resets the file to the default of the process. */
const DEFAULT_SLACK_NS = 0;

/** Sets how late the kernel may wake this thread, since that delay is due to the client, not to the mechanism. */
function setTimerSlack(ns: number): void {
  try {
    writeFileSync("/proc/self/timerslack_ns", String(ns));
  } catch {
    // Other systems and old kernels have no such file; the report shows the lateness.
  }
}

function sleepUntil(ns: bigint): void {
  sleepMs(Number(ns - process.hrtime.bigint()) / 1e6);
}
