import type { Capabilities } from "../contract/capabilities.ts";
import { toIpcError } from "../contract/errors.ts";
import type { Address, ConnectionHandler, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { checkOptions } from "../support/opening.ts";
import { connectRawSocket } from "../support/stream-client.ts";
import { openDealer, openRequest } from "./client.ts";
import type { ZeromqConnection } from "./connection.ts";
import { type Endpoint, type EndpointKind, ipcEndpoint, tcpEndpoint } from "./endpoint.ts";
import { type Library, loadLibrary, probeLibrary } from "./library.ts";
import { inboundOf, openPubSub, PubSubService } from "./pub-sub.ts";
import { RouterService } from "./router.ts";

/** Longest time the library may deliver after a server has closed its connections, ms. */
const SERVER_LINGER_MS = 1000;

interface Service {
  run(): Promise<void>;
  /** Refuses newcomers and closes every connection. The library may deliver for `lingerMs` more. */
  closeConnections(lingerMs: number): Promise<void>;
  closeSockets(): void;
}

interface Recipe {
  readonly id: string;
  readonly endpoint: EndpointKind;
  readonly capabilities: Partial<Capabilities>;
  readonly peers?: NonNullable<Transport["peers"]>;
  readonly clients?: NonNullable<Transport["clients"]>;
  /** @throws IpcError as `listen`; leaves nothing behind then */
  serve(library: Library, address: Address, handler: ConnectionHandler): Promise<Bound>;
  open(library: Library, address: Address, handler: ConnectionHandler): ZeromqConnection;
}

interface Bound extends Endpoint {
  readonly service: Service;
}

/** Python program of the peers. The script finds the interpreter that has pyzmq; often only one of several has it. */
const PEERS = { python: ["python3", "peer.py", "--needs", "zmq"] } as const;
const CLIENTS = { python: ["python3", "client.py", "--needs", "zmq"] } as const;

const COMMON: Capabilities = streamCapabilities({
  boundaries: "library",
  // The library connects, and reconnects after every loss, in the background without a report.
  connects: "lazy",
  backpressure: "outbox",
  peerLoss: "undetected",
  packages: ["zeromq"],
  native: true,
});

function define(recipe: Recipe): Transport {
  const { id, endpoint } = recipe;
  return {
    id,
    capabilities: { ...COMMON, ...recipe.capabilities },
    probe: probeLibrary,
    ...(recipe.peers && { peers: recipe.peers }),
    ...(recipe.clients && { clients: recipe.clients }),
    allocate: (place) => endpoint.allocate(place, id),
    event: {
      async listen(address, handler, options) {
        checkOptions(id, options);
        const bound = await recipe.serve(await loadLibrary(), address, handler);
        const { service } = bound;
        void service.run();
        return closableServer(bound.address, async () => {
          await bound.remove();
          await service.closeConnections(SERVER_LINGER_MS);
          await bound.unbind();
          service.closeSockets();
        });
      },
      async connect(address, handler, options) {
        checkOptions(id, options);
        const connection = recipe.open(await loadLibrary(), address, handler);
        connection.open();
        return connection;
      },
    },
    async connectRaw(address) {
      const [host = "", port] = address.name.split(":");
      return connectRawSocket(id, endpoint === tcpEndpoint ? { host, port: Number(port) } : { path: address.name });
    },
    residue: (address) => endpoint.residue(address),
    sweep: (address) => endpoint.sweep(address),
  };
}

/** Returns `false` if an address has `confirms: false`: its server would treat a farewell as a message. */
function confirms({ options }: Address): boolean {
  return options?.["confirms"] !== false;
}

function routed(
  id: string,
  endpoint: EndpointKind,
  open: typeof openDealer,
  capabilities: Partial<Capabilities>,
): Transport {
  return define({
    id,
    endpoint,
    capabilities,
    peers: PEERS,
    clients: CLIENTS,
    async serve(library, address, handler) {
      const service = new RouterService(library, id, handler);
      try {
        return { service, ...(await endpoint.bind(service.socket, address)) };
      } catch (error) {
        service.socket.close();
        throw toIpcError(error, id);
      }
    },
    open(library, address, handler) {
      return open(library, { transport: id, endpoint: endpoint.url(address), confirms: confirms(address) }, handler);
    },
  });
}

/** DEALER and ROUTER: many clients with many requests under way. The default choice. */
export const zeromqDealerRouter: Transport = routed("zeromq/dealer-router", ipcEndpoint, openDealer, {});

/** DEALER and ROUTER over TCP, for systems without `ipc://`. */
export const zeromqTcp: Transport = routed("zeromq/tcp", tcpEndpoint, openDealer, {
  auth: [],
  platforms: ["linux", "darwin", "win32"],
});

/** Lockstep: one request, one reply. */
export const zeromqReqRep: Transport = routed("zeromq/req-rep", ipcEndpoint, openRequest, {
  patterns: ["request-reply"],
  maxInFlight: 1,
});

/** Endpoint with two paths: one for the publications of the server, one for those of the clients. */
const pubSubEndpoint: EndpointKind = {
  ...ipcEndpoint,
  residue: async (address) => [
    ...(await ipcEndpoint.residue(address)),
    ...(await ipcEndpoint.residue(inboundOf(address))),
  ],
  async sweep(address) {
    await ipcEndpoint.sweep(address);
    await ipcEndpoint.sweep(inboundOf(address));
  },
};

function pubSub(id: string, noDrop: boolean, capabilities: Partial<Capabilities>): Transport {
  return define({
    id,
    endpoint: pubSubEndpoint,
    peers: PEERS,
    capabilities: { patterns: ["one-way", "fan-out"], ...capabilities },
    async serve(library, address, handler) {
      const service = new PubSubService(library, id, handler, noDrop);
      const { publisher, subscriber } = service.sockets;
      let outbound: Endpoint | undefined;
      try {
        outbound = await ipcEndpoint.bind(publisher, address);
        const inbound = await ipcEndpoint.bind(subscriber, inboundOf(address));
        const paths = [outbound, inbound];
        const remove = async (): Promise<void> => void (await Promise.all(paths.map((path) => path.remove())));
        return { service, address, remove, unbind: async () => {} };
      } catch (error) {
        await outbound?.remove();
        publisher.close();
        subscriber.close();
        throw toIpcError(error, id);
      }
    },
    open(library, address, handler) {
      const urls = { outbound: ipcEndpoint.url(address), inbound: ipcEndpoint.url(inboundOf(address)) };
      // If messages may be dropped, a farewell may be dropped too.
      return openPubSub(library, urls, id, handler, { noDrop, confirms: noDrop && confirms(address) });
    },
  });
}

/** A publisher that waits for its slowest subscriber (XPUB with `noDrop`): live, subscribed ends lose no message. */
export const zeromqPubSub: Transport = pubSub("zeromq/pub-sub", true, {});

/** The default of PUB: a subscriber that does not keep up loses messages without notice. */
export const zeromqPubSubDrop: Transport = pubSub("zeromq/pub-sub-drop", false, {
  delivery: "lossy",
  backpressure: "none",
});
