import { createServer, connect as netConnect, type Socket } from "node:net";
import { toIpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { Deadline } from "../support/deadline.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { pathTransport } from "../support/path-transport.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { listenAtPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { HEADERS } from "./framing.ts";
import { MAX_BYTES, MAX_CALLS, openClient, type Served, serve, type Wire } from "./session.ts";

const ID = "jsonrpc/unix";
const CLOSE_LIMIT_MS = 1000;

function wireOf(socket: Socket): Wire {
  return {
    transport: ID,
    framing: HEADERS,
    input: socket,
    output: socket,
    source: "the other side's end",
    hangUp: () => socket.destroySoon(),
  };
}

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  const sockets = new Map<Socket, Served>();
  const listener = createServer((socket) => {
    sockets.set(socket, serve(wireOf(socket), handler));
    socket.once("close", () => sockets.delete(socket));
  });
  await listenAtPath(address.name, ID, () => listenPrivately(listener, address.name));
  return closableServer(address, async () => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    const deadline = new Deadline(2 * CLOSE_LIMIT_MS, () => {
      for (const socket of sockets.keys()) socket.destroy();
    });
    for (const [socket, served] of sockets) void served.finish(CLOSE_LIMIT_MS).then(() => socket.destroySoon());
    await closed;
    deadline.clear();
  });
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(ID, options);
  checkSocketPath(address.name, ID);
  const socket = netConnect(address.name);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (error) => reject(toIpcError(error, ID)));
  });
  await withinLimit(ID, options, connected, () => socket.destroy());
  return openClient(wireOf(socket), handler);
}

/** JSON-RPC 2.0 with the `Content-Length` headers of language servers, over a Unix socket. */
export const jsonRpc: Transport = pathTransport({
  id: ID,
  stem: "jsonrpc",
  capabilities: streamCapabilities({
    patterns: ["request-reply"],
    boundaries: "library",
    maxMessageBytes: MAX_BYTES,
    maxInFlight: MAX_CALLS,
    backpressure: "outbox",
  }),
  async probe() {
    if (process.platform === "win32") {
      return { available: false, reason: "Node has no Unix sockets on Windows; use named-pipe or tcp" };
    }
    return { available: true, version: `node ${process.versions.node}` };
  },
  event: { listen, connect },
});
