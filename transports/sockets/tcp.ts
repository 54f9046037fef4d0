import { readFile } from "node:fs/promises";
import { createServer, type Server as NetServer, type TcpNetConnectOpts } from "node:net";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { Address, EventTransport, OsObject, Transport } from "../contract/transport.ts";
import { aborted, checkOptions } from "../support/opening.ts";
import { connectStranger, connectStream, isListening } from "../support/stream-client.ts";
import { StreamServer } from "../support/stream-server.ts";

const ID = "tcp";
const MAX_CLIENTS = 1024;
const BACKLOG = 1024;
/** The only interface ever used: nothing outside this machine can reach it. */
const HOST = "127.0.0.1";
/** As `/proc/net/tcp` writes it: the address as a little-endian hexadecimal word. */
const PROC_HOST = "0100007F";
const PROC_LISTEN = "0A";

const event: EventTransport = {
  async listen(address, handler, options) {
    checkOptions(ID, options);
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    const port = await bind(listener, portOf(address));
    const server = new StreamServer({
      transport: ID,
      address: { ...address, name: `${HOST}:${port}` },
      maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
      maxClients: MAX_CLIENTS,
      handler,
      listener,
    });
    if (options?.signal?.aborted) {
      await server.close();
      throw aborted(ID);
    }
    return server;
  },

  async connect(address, handler, options) {
    return connectStream(ID, target(address), UNBOUNDED_MESSAGE_BYTES, handler, options);
  },
};

function bind(listener: NetServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void => reject(toIpcError(error, ID));
    listener.once("error", refused);
    listener.listen({ host: HOST, port, backlog: BACKLOG, exclusive: true }, () => {
      listener.off("error", refused);
      const bound = listener.address();
      resolve(bound !== null && typeof bound === "object" ? bound.port : port);
    });
  });
}

function target(address: Address): TcpNetConnectOpts {
  const port = portOf(address);
  if (port === 0) {
    const message = `${ID}: ${address.name} has no port yet; connect to the address of the server that listens`;
    throw new IpcError("IPC_PEER_LOST", message, { transport: ID });
  }
  return { host: HOST, port, noDelay: true };
}

/** @throws IpcError IPC_UNSUPPORTED for any host but 127.0.0.1, and for what is no port. */
function portOf(address: Address): number {
  const [host, digits = "", ...rest] = address.name.split(":");
  const port = Number(digits);
  if (host !== HOST || rest.length > 0 || !/^\d{1,5}$/.test(digits) || port > 65535) {
    const message = `${ID}: "${address.name}" is no address here; it must read ${HOST}:<port>`;
    throw new IpcError("IPC_UNSUPPORTED", message, { transport: ID });
  }
  return port;
}

/** Whether the kernel holds a listener there, whoever owns it. */
async function isHeld(port: number): Promise<boolean> {
  if (port === 0) return false;
  if (process.platform !== "linux") return isListening({ host: HOST, port });
  const local = `${PROC_HOST}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const table = await readFile("/proc/net/tcp", "latin1");
  return table.split("\n").some((line) => {
    const [, from, , state] = line.trim().split(/\s+/);
    return from === local && state === PROC_LISTEN;
  });
}

/** TCP over the loopback interface, messages behind a u32 length prefix. */
export const tcp: Transport = {
  id: ID,
  capabilities: {
    modes: ["event"],
    patterns: ["request-reply", "one-way"],
    rendezvous: "address",
    boundaries: "prefix",
    delivery: "reliable",
    ordering: "fifo",
    maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
    maxClients: MAX_CLIENTS,
    maxInFlight: 1024,
    connects: "checked",
    backpressure: "native",
    peerLoss: "immediate",
    // Any local user can connect: a port has no owner and no mode.
    auth: [],
    persistent: false,
    platforms: ["linux", "darwin", "win32"],
    languages: ["any"],
  },
  async probe() {
    return { available: true, version: `node ${process.versions.node}, libuv ${process.versions.uv}` };
  },
  /** Port 0: the system chooses one when the server listens, and `server.address` names it. */
  async allocate() {
    return { transport: ID, name: `${HOST}:0` };
  },
  event,
  stranger: async (address) => connectStranger(ID, target(address)),
  async residue(address): Promise<readonly OsObject[]> {
    return (await isHeld(portOf(address))) ? [{ kind: "port", name: address.name }] : [];
  },
  /** A port is free the moment its process is gone. */
  async sweep() {},
};
