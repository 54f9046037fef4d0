import { writeFileSync } from "node:fs";
import type { Load, LoadOrder } from "../../process/load-messages.ts";
import { BLOCKING_SLOTS, BlockingWindow, EventWindow, sleepMs, type Task } from "./client-loops.ts";
import type { ClientWindow } from "./client-window.ts";
import { RequestMix } from "./mix.ts";
import { lostAfterMs, type Wire } from "./model.ts";
import { schedule } from "./schedule.ts";

/** Client of a workload, which sleeps between its requests as a real client does. */
export class WorkloadClient {
  readonly #wire: Wire;
  readonly #load: Load;
  readonly #client: number;
  readonly #slots: number;
  readonly #requests: RequestMix;
  /** Requests of the warm-up; the same where the load has no work. */
  readonly #withoutWork: RequestMix;

  /** @param client number of this client among `load.clients` */
  constructor(wire: Wire, load: Load, client: number, maxInFlight: number) {
    this.#wire = wire;
    this.#load = load;
    this.#client = client;
    this.#slots = load.ratePerSecond === null ? 1 : Math.min(BLOCKING_SLOTS, maxInFlight);
    this.#requests = new RequestMix(load);
    this.#withoutWork = load.workMicros ? new RequestMix({ ...load, workMicros: 0 }) : this.#requests;
    setTimerSlack(FINEST_SLACK_NS);
  }

  async window(order: LoadOrder): Promise<ClientWindow> {
    const task = this.#taskOf(order);
    sleepUntil(task.startNs);
    if (this.#wire.face === "event") return new EventWindow(this.#wire.client, task).run();
    return new BlockingWindow(this.#wire.connection, task, this.#slots).run();
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
