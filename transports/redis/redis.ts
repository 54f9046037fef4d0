import type { Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { installedVersion, pathTransport, probePackage } from "../support/path-transport.ts";
import { findBroker, MISSING } from "./broker.ts";
import { connect, MAX_BYTES, MAX_CALLS } from "./client.ts";
import { type OpenLane, openChannelLane, openListLane } from "./lane.ts";
import { loadLibrary } from "./library.ts";
import { listen } from "./server.ts";

/** Largest number of clients. Each has two connections to the broker, which needs a descriptor for each connection. */
const MAX_CLIENTS = 256;

function define(id: string, openLane: OpenLane): Transport {
  return pathTransport({
    id,
    stem: "redis",
    capabilities: streamCapabilities({
      patterns: ["request-reply"],
      boundaries: "library",
      maxMessageBytes: MAX_BYTES,
      maxClients: MAX_CLIENTS,
      maxInFlight: MAX_CALLS,
      backpressure: "outbox",
      packages: ["@redis/client"],
      broker: "redis-server",
    }),
    async probe() {
      const library = await probePackage("@redis/client", async () => {
        await loadLibrary();
        return installedVersion("@redis/client", import.meta.url);
      });
      if (!library.available) return library;
      const broker = findBroker();
      if (broker === undefined) return { available: false, reason: MISSING };
      return { available: true, version: `${library.version}, ${broker.version}` };
    },
    event: {
      listen: (address, handler, options) => listen(id, openLane, address, handler, options),
      connect: (address, handler, options) => connect(id, openLane, address, handler, options),
    },
  });
}

/** Requests in a list of Redis, replies in a list for each client: RPUSH and BLPOP, as job queues do. */
export const redisList: Transport = define("redis/list", openListLane);

/** Requests and replies through channels of Redis: PUBLISH and SUBSCRIBE. */
export const redisPubSub: Transport = define("redis/pub-sub", openChannelLane);
