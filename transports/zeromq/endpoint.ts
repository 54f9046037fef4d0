import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import type { Socket } from "zeromq";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, OsObject, Place } from "../contract/transport.ts";
import { Deadline } from "../support/deadline.ts";
import { distinctName } from "../support/distinct-name.ts";
import { bindPrivately, listenAtPath, pathResidue, removeSocket, sweepPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";

/** Place where a socket listens. */
export interface Endpoint {
  /** Address to which clients connect. */
  readonly address: Address;
  /** Removes the name by which newcomers find the socket. Connected clients stay. */
  remove(): Promise<void>;
  /** Frees everything else once the connections are closed. */
  unbind(): Promise<void>;
}

/** Functions that make, bind and clean addresses of one kind. */
export interface EndpointKind {
  allocate(place: Place, transport: string): Promise<Address>;
  /** Returns the URL for the library's `connect`. @throws IpcError for a name that cannot be an address */
  url(address: Address): string;
  /** @throws IpcError IPC_ADDRESS_IN_USE, IPC_SYSTEM */
  bind(socket: Socket, address: Address): Promise<Endpoint>;
  residue(address: Address): Promise<readonly OsObject[]>;
  sweep(address: Address): Promise<void>;
}

/** Longest wait for the I/O thread to close a listening TCP socket, ms. */
const UNBIND_MS = 1000;
const PROBE_MS = 1000;

/**
 * `ipc://`. When the library binds a path, it removes whatever is there, even a live server or a regular file, and it
 * never removes its own socket. So this checks and locks the path before, and removes it afterwards.
 */
export const ipcEndpoint: EndpointKind = {
  async allocate(place, transport) {
    const path = join(place.directory, `zmq-${distinctName()}.sock`);
    checkSocketPath(path, transport);
    return { transport, name: path };
  },
  url(address) {
    checkSocketPath(address.name, address.transport);
    return `ipc://${address.name}`;
  },
  async bind(socket, address) {
    const { name, transport } = address;
    await listenAtPath(name, transport, async () => bindPrivately(() => socket.bindSync(`ipc://${name}`)));
    return { address, remove: async () => removeSocket(name), unbind: async () => {} };
  },
  residue: async (address) => pathResidue(address.name),
  sweep: (address) => sweepPath(address.name),
};

/** `tcp://` on 127.0.0.1; port 0 lets the system choose. */
export const tcpEndpoint: EndpointKind = {
  async allocate(_place, transport) {
    return { transport, name: "127.0.0.1:0" };
  },
  url(address) {
    if (!/^127\.0\.0\.1:\d+$/.test(address.name)) {
      throw new IpcError("IPC_SYSTEM", `${address.transport}: "${address.name}" is not 127.0.0.1:<port>`, {
        transport: address.transport,
      });
    }
    return `tcp://${address.name}`;
  },
  async bind(socket, address) {
    try {
      await socket.bind(this.url(address).replace(/:0$/, ":*"));
    } catch (error) {
      throw toIpcError(error, address.transport);
    }
    const endpoint = socket.lastEndpoint ?? "";
    const bound = { ...address, name: endpoint.replace(/^tcp:\/\//, "") };
    return { address: bound, remove: async () => {}, unbind: () => unbindNow(socket, endpoint) };
  },
  async residue(address) {
    return (await isOpen(address)) ? [{ kind: "port", name: address.name }] : [];
  },
  async sweep() {},
};

/**
 * Resolves when the I/O thread has closed the listening socket, so that the port is free then. The library also ends
 * every connection accepted there.
 */
async function unbindNow(socket: Socket, endpoint: string): Promise<void> {
  if (socket.closed) return;
  let timer: NodeJS.Timeout | undefined;
  const closed = new Promise<void>((resolve) => {
    socket.events.on("close", () => resolve());
    timer = setTimeout(resolve, UNBIND_MS);
  });
  await socket.unbind(endpoint).catch(() => undefined);
  await closed;
  clearTimeout(timer);
}

function isOpen(address: Address): Promise<boolean> {
  const port = Number(address.name.split(":")[1]);
  if (!port) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connectSocket(port, "127.0.0.1");
    const settle = (open: boolean): void => {
      deadline.clear();
      socket.destroy();
      resolve(open);
    };
    const deadline = new Deadline(PROBE_MS, () => settle(true));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
