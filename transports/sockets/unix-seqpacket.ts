import { closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Address, Connection, ConnectionHandler, RawClient, Server, Transport } from "../contract/transport.ts";
import { posixAvailability } from "../posix/binding.ts";
import { connectPath, unixSocket } from "../posix/unix-socket.ts";
import { NEEDS_POSIX_BINDING, streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { aborted, checkOptions, OPEN_LIMIT_MS } from "../support/opening.ts";
import { acceptOnDescriptor, adoptDescriptor } from "../support/pipe-handle.ts";
import { pathResidue, sweepPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { rawClientOf } from "../support/stream-client.ts";
import { BACKLOG, listenAt } from "./blocking-doorway.ts";
import { MAX_CLIENTS, seqpacketBlocking } from "./seqpacket-blocking.ts";
import { SeqpacketConnection } from "./seqpacket-connection.ts";
import { failure, ID, Kind, MAX_MESSAGE_BYTES } from "./seqpacket-records.ts";

const QUEUE_PAUSE_MS = 5;

function listen(address: Address, handler: ConnectionHandler): Server {
  const connections = new Set<SeqpacketConnection>();
  const listener = acceptOnDescriptor(listenAt(ID, address.name, "seqpacket"), BACKLOG, (admit) => {
    if (connections.size >= MAX_CLIENTS) return;
    const connection = new SeqpacketConnection(admit, handler, () => connections.delete(connection));
    connections.add(connection);
    connection.start();
  });
  return closableServer(address, async () => {
    // Removed before closing: a new server may take over a path without a listener, and would then lose its socket.
    rmSync(address.name, { force: true });
    listener.close();
    await Promise.allSettled([...connections].map((connection) => connection.close()));
  });
}

/** Connects; waits while the server's queue of newcomers is full. @returns the descriptor, non-blocking */
async function dial(path: string, signal?: AbortSignal): Promise<number> {
  const fd = unixSocket("seqpacket", true);
  try {
    const untilMs = performance.now() + OPEN_LIMIT_MS;
    while (!connectPath(fd, path)) {
      if (performance.now() > untilMs) {
        const text = `the server's queue of waiting connections was still full after ${OPEN_LIMIT_MS} ms`;
        throw failure("IPC_TIMEOUT", text, "EAGAIN");
      }
      await new Promise((resolve) => setTimeout(resolve, QUEUE_PAUSE_MS));
      if (signal?.aborted) throw aborted(ID);
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Connects a client that sends messages as they are: behind the kind, since a record without it is no message. */
async function connectRaw(address: Address): Promise<RawClient> {
  const socket = adoptDescriptor(await dial(address.name));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => undefined).resume();
  const records = rawClientOf(ID, socket, closed);
  const kind = Uint8Array.of(Kind.data, 0, 0, 0);
  return { ...records, write: (bytes) => records.write(Buffer.concat([kind, bytes])) };
}

/** Unix sockets that keep message boundaries and have connections: SOCK_SEQPACKET. */
export const unixSeqpacket: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    modes: ["event", "blocking"],
    boundaries: "kernel",
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxClients: MAX_CLIENTS,
    platforms: ["linux"],
    ...NEEDS_POSIX_BINDING,
  }),
  async probe() {
    if (process.platform === "darwin") {
      return { available: false, reason: "macOS has no Unix sockets of type SOCK_SEQPACKET; use unix" };
    }
    return posixAvailability();
  },
  async allocate({ directory }) {
    const path = join(directory, `q${distinctName()}`);
    checkSocketPath(path, ID);
    return { transport: ID, name: path };
  },
  event: {
    async listen(address, handler, options) {
      checkOptions(ID, options);
      return listen(address, handler);
    },
    async connect(address, handler, options): Promise<Connection> {
      checkOptions(ID, options);
      const fd = await dial(address.name, options?.signal);
      const connection = new SeqpacketConnection(
        (adoptions) => adoptDescriptor(fd, adoptions),
        handler,
        () => undefined,
      );
      connection.start();
      return connection;
    },
  },
  blocking: seqpacketBlocking,
  connectRaw,
  residue: async (address) => pathResidue(address.name, ID),
  sweep: (address) => sweepPath(address.name, ID),
};
