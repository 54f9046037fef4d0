import { createRequire } from "node:module";
import { createServer } from "node:net";
import { extname, join } from "node:path";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import type {
  Address,
  BlockingTransport,
  ConnectionHandler,
  EventTransport,
  OpenOptions,
  Server,
  Transport,
} from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions, unlessAborted } from "../support/opening.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { listenAtPath, pathResidue, sweepPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { connectRawSocket, connectStream } from "../support/stream-client.ts";
import { StreamServer } from "../support/stream-server.ts";

const ID = "unix";
const MAX_CLIENTS = 1024;

const event: EventTransport = {
  async listen(address, handler, options) {
    checkOptions(ID, options);
    return listenAtPath(address.name, ID, () => listenLocked(address, handler, options));
  },

  async connect(address, handler, options) {
    checkSocketPath(address.name, ID);
    return connectStream(ID, { path: address.name }, UNBOUNDED_MESSAGE_BYTES, handler, options);
  },
};

/**
 * The blocking face, loaded on first use: its POSIX wrapper is a third of the code that a trial loads, and most trials
 * use an event loop. Its calls are synchronous, so `require` loads it.
 */
const blocking: BlockingTransport = {
  listen: (address, options) => unixBlocking().listen(address, options),
  connect: (address, timeoutMs, options) => unixBlocking().connect(address, timeoutMs, options),
};

function unixBlocking(): BlockingTransport {
  // The compiled package has other file extensions than the source.
  const module = createRequire(import.meta.url)(`./unix-blocking${extname(import.meta.filename)}`);
  return (module as typeof import("./unix-blocking.ts")).unixBlocking;
}

async function listenLocked(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  // Half-open, because closing lingers: see StreamConnection.
  const listener = createServer({ allowHalfOpen: true });
  await listenPrivately(listener, address.name);
  const server = new StreamServer({
    transport: ID,
    address,
    maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
    maxClients: MAX_CLIENTS,
    handler,
    listener,
  });
  return unlessAborted(ID, options, server);
}

/** Unix domain stream sockets over `node:net`. Each message follows a u32 length prefix. */
export const unix: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    // The blocking face needs the POSIX wrapper.
    modes: process.platform === "linux" ? ["event", "blocking"] : ["event"],
    maxClients: MAX_CLIENTS,
  }),
  async probe() {
    if (process.platform === "win32") {
      return { available: false, reason: "Node has no Unix sockets on Windows; use named-pipe" };
    }
    return { available: true, version: `node ${process.versions.node}, libuv ${process.versions.uv}` };
  },
  async allocate(place) {
    const path = join(place.directory, `unix-${distinctName()}.sock`);
    checkSocketPath(path, ID);
    return { transport: ID, name: path };
  },
  event,
  ...(process.platform === "linux" ? { blocking } : {}),
  peers: { python: ["python3", "peer.py"] },
  clients: { python: ["python3", "client.py"] },
  connectRaw: (address) => connectRawSocket(ID, { path: address.name }),
  async residue(address) {
    return pathResidue(address.name);
  },
  async sweep(address) {
    await sweepPath(address.name);
  },
};
