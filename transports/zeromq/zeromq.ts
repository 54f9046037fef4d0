import { type Capabilities, UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { toIpcError } from "../contract/errors.ts";
import type { ConnectionHandler, Transport } from "../contract/transport.ts";
import { closableServer } from "../support/closable-server.ts";
import { checkOptions } from "../support/opening.ts";
import { connectStranger } from "../support/stream-client.ts";
import { openDealer, openRequest, openSubscriber } from "./client.ts";
import type { ZeromqConnection } from "./connection.ts";
import { type EndpointKind, ipcEndpoint, tcpEndpoint } from "./endpoint.ts";
import { type Library, loadLibrary, probeLibrary } from "./library.ts";
import { PublisherService } from "./publisher.ts";
import { RouterService } from "./router.ts";

/** After a server has closed its connections, the library may go on delivering for this long. */
const SERVER_LINGER_MS = 1000;

type Service = RouterService | PublisherService;

interface Recipe {
  readonly id: string;
  readonly endpoint: EndpointKind;
  readonly capabilities: Partial<Capabilities>;
  serve(library: Library, handler: ConnectionHandler): Service;
  open(library: Library, url: string, id: string, handler: ConnectionHandler): ZeromqConnection;
}

const COMMON: Capabilities = {
  modes: ["event"],
  patterns: ["request-reply", "one-way"],
  rendezvous: "address",
  boundaries: "library",
  delivery: "reliable",
  ordering: "fifo",
  maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
  maxClients: 1024,
  maxInFlight: 1024,
  // The library connects in the background and again after every loss, and says nothing of it.
  connects: "lazy",
  backpressure: "outbox",
  peerLoss: "undetected",
  auth: ["permissions"],
  persistent: false,
  platforms: ["linux", "darwin"],
  languages: ["any"],
};

function define(recipe: Recipe): Transport {
  const { id, endpoint } = recipe;
  return {
    id,
    capabilities: { ...COMMON, ...recipe.capabilities },
    probe: probeLibrary,
    allocate: (place) => endpoint.allocate(place, id),
    event: {
      async listen(address, handler, options) {
        checkOptions(id, options);
        const service = recipe.serve(await loadLibrary(), handler);
        try {
          const bound = await endpoint.bind(service.socket, address);
          void service.run();
          return closableServer(bound.address, async () => {
            await bound.remove();
            await service.close(SERVER_LINGER_MS);
          });
        } catch (error) {
          service.socket.close();
          throw toIpcError(error, id);
        }
      },
      async connect(address, handler, options) {
        checkOptions(id, options);
        const library = await loadLibrary();
        const connection = recipe.open(library, endpoint.url(address), id, handler);
        connection.open();
        return connection;
      },
    },
    async stranger(address) {
      const [host = "", port] = address.name.split(":");
      return connectStranger(id, endpoint === tcpEndpoint ? { host, port: Number(port) } : { path: address.name });
    },
    residue: (address) => endpoint.residue(address),
    sweep: (address) => endpoint.sweep(address),
  };
}

const router = (id: string) => (library: Library, handler: ConnectionHandler) =>
  new RouterService(library, id, handler);

/** Many requests under way per client, many clients: what to use unless there is a reason against it. */
export const zeromqDealerRouter: Transport = define({
  id: "zeromq/dealer-router",
  endpoint: ipcEndpoint,
  capabilities: {},
  serve: router("zeromq/dealer-router"),
  open: openDealer,
});

/** The same over TCP, where there is no `ipc://`. */
export const zeromqTcp: Transport = define({
  id: "zeromq/tcp",
  endpoint: tcpEndpoint,
  capabilities: { auth: [], platforms: ["linux", "darwin", "win32"] },
  serve: router("zeromq/tcp"),
  open: openDealer,
});

/** Lockstep: one request, one reply. */
export const zeromqReqRep: Transport = define({
  id: "zeromq/req-rep",
  endpoint: ipcEndpoint,
  capabilities: { patterns: ["request-reply"], maxInFlight: 1 },
  serve: router("zeromq/req-rep"),
  open: openRequest,
});

function pubSub(id: string, noDrop: boolean, capabilities: Partial<Capabilities>): Transport {
  return define({
    id,
    endpoint: ipcEndpoint,
    capabilities: { patterns: ["one-way", "fan-out"], ...capabilities },
    serve: (library, handler) => new PublisherService(library, id, handler, noDrop),
    open: openSubscriber,
  });
}

/** The publisher waits for its slowest subscriber (XPUB with `noDrop`): nothing is lost between live, subscribed ends. */
export const zeromqPubSub: Transport = pubSub("zeromq/pub-sub", true, {});

/** What PUB does by default: a subscriber that does not keep up loses messages, and nobody is told. */
export const zeromqPubSubDrop: Transport = pubSub("zeromq/pub-sub-drop", false, {
  delivery: "lossy",
  backpressure: "none",
});
