import { ClientGroup } from "./client-group.ts";
import { together } from "./client-window.ts";
import { givenUp, type Model } from "./model.ts";

/** Client processes with one request in flight each, which start together. */
export const fanIn: Model = {
  id: "fan-in",
  async prepare(site, load) {
    const { address } = site.link.peer;
    const { clients, seed } = load;
    const group = await ClientGroup.start(site, clients, (client) => ({ kind: "load", address, load, client }));
    return {
      async window(count) {
        const messages = Math.max(1, Math.ceil(count / clients));
        const startNs = String(process.hrtime.bigint());
        try {
          return together(await group.window({ messages, ratePerSecond: null, seed, startNs }, 0));
        } catch (error) {
          return givenUp(count, (error as Error).message);
        }
      },
      usage: () => group.used,
      end: () => group.end(),
    };
  },
};
