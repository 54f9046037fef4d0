import type { Load, LoadOrder } from "../../process/load-messages.ts";
import type { UsageReport } from "../../process/messages.ts";
import { count } from "../../results/format.ts";
import { problemOf } from "../figures.ts";
import { ClientGroup } from "./client-group.ts";
import { together } from "./client-window.ts";
import { givenUp, type Model, type Site, type Window } from "./model.ts";
import { type Replay, replayOf } from "./recorded-requests.ts";
import { WorkloadClient } from "./workload-client.ts";

/** Time from the order to the beginning of a window, ms, so that every client has the order by then. */
const LEAD_MS = 2;
const LEAD_MS_PER_CLIENT = 0.5;
/**
 * Messages of each client before the first window, in a closed loop and without work. They are needed because code is
 * compiled during the first thousands of messages; a schedule or work would make them slow. Ends with the messages or
 * the time, whichever comes first. A few messages with work follow: then its code is compiled too.
 */
const WARM_MESSAGES_EACH = 2000;
const WARM_STEP_EACH = 100;
const WARM_MS = 250;
const WORK_MESSAGES_EACH = 10;

/**
 * Workload of the user: several clients send at the same time, with sizes that take turns, in a closed or an open loop,
 * to a server that works on each request. The driver is the first client; the others are processes of their own.
 */
export const workload: Model = {
  id: "workload",
  async prepare(site, load) {
    const clients = await Clients.start(site, load);
    try {
      await clients.warmUp();
    } catch (error) {
      await clients.end();
      throw error;
    }
    return {
      window: (count) => clients.window(count, load.ratePerSecond),
      windowAt: (count, ratePerSecond) => clients.window(count, ratePerSecond),
      usage: () => clients.used,
      end: () => clients.end(),
    };
  },
};

class Clients {
  readonly #load: Load;
  readonly #own: WorkloadClient;
  readonly #group: ClientGroup;
  readonly #delivery: "reliable" | "lossy";
  readonly #replay: Replay | undefined;
  #windows = 0;

  private constructor(site: Site, load: Load, own: WorkloadClient, group: ClientGroup) {
    this.#delivery = site.transport.capabilities.delivery;
    this.#replay = replayOf(site.start);
    this.#load = load;
    this.#own = own;
    this.#group = group;
  }

  static async start(site: Site, load: Load): Promise<Clients> {
    const { address } = site.link.peer;
    const { maxInFlight } = site.transport.capabilities;
    const own = new WorkloadClient(site.link, load, 0, maxInFlight, replayOf(site.start));
    const group = await ClientGroup.start(
      site,
      load.clients - 1,
      (index) => ({ kind: "load", address, load, client: index + 1 }),
      () => own.window({ messages: 1, ratePerSecond: null, seed: load.seed, startNs: String(process.hrtime.bigint()) }),
    );
    return new Clients(site, load, own, group);
  }

  get used(): UsageReport {
    return this.#group.used;
  }

  /** Sends the messages before the first window. @throws Error with the problem of a window */
  async warmUp(): Promise<void> {
    const { clients } = this.#load;
    const startedMs = performance.now();
    for (let each = 0; each < WARM_MESSAGES_EACH && performance.now() - startedMs < WARM_MS; each += WARM_STEP_EACH) {
      // The first step is short, because the speed is unknown.
      await this.#warmUp((each === 0 ? 5 : WARM_STEP_EACH) * clients, true);
    }
    if (this.#load.workMicros) await this.#warmUp(WORK_MESSAGES_EACH * clients, false);
  }

  async #warmUp(count: number, withoutWork: boolean): Promise<void> {
    const problem = problemOf(await this.window(count, null, withoutWork), this.#delivery);
    if (problem !== undefined) throw new Error(`during warm-up: ${problem}`);
  }

  async window(all: number, ratePerSecond: number | null, withoutWork = false): Promise<Window> {
    const { clients, seed } = this.#load;
    const messages = Math.max(1, Math.ceil(all / clients));
    const leadMs = clients === 1 ? 0 : LEAD_MS + LEAD_MS_PER_CLIENT * clients;
    const order: LoadOrder = {
      messages,
      ratePerSecond,
      seed: (seed + this.#windows++) >>> 0,
      ...(withoutWork ? { withoutWork } : {}),
      startNs: String(process.hrtime.bigint() + BigInt(Math.round(leadMs * 1e6))),
    };
    const plannedMs = ratePerSecond === null ? 0 : (1000 * messages * clients) / ratePerSecond;
    try {
      // Sent before this process does its own part, which may keep it busy to the end.
      const others = this.#group.window(order, 4 * plannedMs);
      const [own, theirs] = await Promise.all([this.#own.window(order), others]);
      const names = this.#replay?.groups?.names;
      const window = { ...together([own, ...theirs]), ...(names === undefined ? {} : { groupNames: names }) };
      if (window.refused === undefined) return window;
      const rate = `${ratePerSecond}/s with ${count(clients, "client")}`;
      const refused = `the driver could not keep the rate of ${rate}: ${window.refused}`;
      return { ...window, refused: `${refused}; give a lower --rate${clients > 1 ? " or fewer --clients" : ""}` };
    } catch (error) {
      return givenUp(all, (error as Error).message);
    }
  }

  async end(): Promise<void> {
    this.#own.end();
    await this.#group.end();
  }
}
