import { IpcError, shortageIn } from "../../../transports/contract/errors.ts";
import { canReadMemory, heldBy } from "../../process/private-memory.ts";
import { processTree } from "../../process/process-tree.ts";
import { closeLink, openLink } from "../link.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { CLEAN, type Link, type Model, type Site, type Window } from "./model.ts";
import { exchangeOnce, newServer, withQuietPeer } from "./new-server.ts";
import { pingPongOver } from "./ping-pong.ts";

/** Number of requests of each client before a reading: the first ones make a server allocate its buffers. */
const EXCHANGES = 3;
/**
 * Number of requests of the first client of a shared server. Its heap grows while it compiles its code; without these
 * requests, the next clients would be charged with that growth (25 KiB instead of 12 KiB for each over `unix`). A heap
 * grows in steps, so the number differs from trial to trial: the steps then fall on different clients.
 */
const FIRST_EXCHANGES = { least: 200, most: 500 } as const;

/** Reads what the server side holds with one client and with all: a child for each client, or one shared server. */
export const clientsMemory: Model = {
  id: "clients-memory",
  prepare(site, { clients, payloadBytes, seed }) {
    if (!canReadMemory()) {
      throw new IpcError("IPC_SHORTAGE", "private memory is read from /proc/<pid>/smaps_rollup, which is not here");
    }
    const first = FIRST_EXCHANGES.least + (seed % (FIRST_EXCHANGES.most - FIRST_EXCHANGES.least));
    return {
      startsServers: true,
      window: () => withQuietPeer(site, () => new Holders(site, payloadBytes, first).read(clients)),
    };
  },
};

class Holders {
  readonly #site: Site;
  readonly #payloadBytes: number;
  readonly #firstExchanges: number;
  readonly #servers: RunningPeer[] = [];
  readonly #links: Link[] = [];

  constructor(site: Site, payloadBytes: number, firstExchanges: number) {
    this.#site = site;
    this.#payloadBytes = payloadBytes;
    this.#firstExchanges = firstExchanges;
  }

  async read(clients: number): Promise<Window> {
    const startedNs = process.hrtime.bigint();
    const elapsedNs = (): number => Number(process.hrtime.bigint() - startedNs);
    try {
      await this.#add();
      const one = this.#held();
      while (this.#links.length < clients) await this.#add();
      const all = this.#held();
      return { messages: 1, elapsedNs: elapsedNs(), samples: null, ...CLEAN, serverMemory: { one, all } };
    } catch (error) {
      if (shortageIn(error) !== undefined) throw error;
      const problem = `client ${this.#links.length + 1} of ${clients}: ${(error as Error).message}`;
      return { messages: 0, elapsedNs: elapsedNs(), samples: null, ...CLEAN, problem };
    } finally {
      await this.#end();
    }
  }

  async #add(): Promise<void> {
    const { transport, start } = this.#site;
    const isChild = transport.capabilities.rendezvous === "parent";
    let server = isChild ? undefined : this.#servers[0];
    if (server === undefined) {
      server = await (await newServer(this.#site))();
      this.#servers.push(server);
    }
    const link = await openLink(transport, start, server);
    this.#links.push(link);
    const pingPong = pingPongOver(link, this.#payloadBytes);
    const count = isChild || this.#links.length > 1 ? EXCHANGES : this.#firstExchanges;
    for (let sent = 0; sent < count; sent++) await exchangeOnce(pingPong);
  }

  #held(): ReturnType<typeof heldBy> {
    return heldBy(this.#servers.flatMap(({ info }) => processTree(info.pid)));
  }

  async #end(): Promise<void> {
    for (const link of this.#links) await closeLink(link).catch(() => undefined);
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}
