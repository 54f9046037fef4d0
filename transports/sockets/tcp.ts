import { createServer } from "node:net";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import type { EventTransport, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { listenOnLoopback, loopbackName, loopbackTarget, portOf, portResidue } from "../support/loopback-port.ts";
import { checkOptions, unlessAborted } from "../support/opening.ts";
import { connectRawSocket, connectStream } from "../support/stream-client.ts";
import { StreamServer } from "../support/stream-server.ts";

const ID = "tcp";
const MAX_CLIENTS = 1024;
const event: EventTransport = {
  async listen(address, handler, options) {
    checkOptions(ID, options);
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    const port = await listenOnLoopback(ID, listener, portOf(ID, address));
    const server = new StreamServer({
      transport: ID,
      address: { ...address, name: loopbackName(port) },
      maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
      maxClients: MAX_CLIENTS,
      handler,
      listener,
    });
    return unlessAborted(ID, options, server);
  },

  async connect(address, handler, options) {
    return connectStream(ID, loopbackTarget(ID, address), UNBOUNDED_MESSAGE_BYTES, handler, options);
  },
};

/** TCP over the loopback interface. Each message follows a u32 length prefix. */
export const tcp: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    maxClients: MAX_CLIENTS,
    // Any local user can connect: a port has no owner and no mode.
    auth: [],
    platforms: ["linux", "darwin", "win32"],
  }),
  async probe() {
    return { available: true, version: `node ${process.versions.node}, libuv ${process.versions.uv}` };
  },
  /** Allocates port 0: the system chooses a port when the server listens, and `server.address` contains it. */
  async allocate() {
    return { transport: ID, name: loopbackName(0) };
  },
  event,
  peers: { python: ["python3", "peer.py"] },
  clients: { python: ["python3", "client.py"] },
  connectRaw: async (address) => connectRawSocket(ID, loopbackTarget(ID, address)),
  residue: (address) => portResidue(ID, address),
  /** Does nothing: a port is free once its process is gone. */
  async sweep() {},
};
