import { constants as fs, lstatSync } from "node:fs";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { extname, join } from "node:path";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type {
  Address,
  BlockingTransport,
  Connection,
  ConnectionHandler,
  EventTransport,
  OpenOptions,
  RawClient,
  Server,
  Transport,
} from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { aborted, checkOptions } from "../support/opening.ts";
import { lockResidue, sweepLocks, withPathLock } from "../support/path-lock.ts";
import { StreamConnection } from "../support/stream-connection.ts";
import { openPair, type Pair } from "./fifo-client.ts";
import { hasReader, listNames, MAX_CLIENTS, makeFifos, mkfifoAvailability, openFifo, removeAll } from "./fifo-names.ts";
import { FifoServer } from "./fifo-server.ts";

const ID = "fifo";

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  try {
    return await withPathLock(address.name, ID, () => listenLocked(address, handler, options));
  } catch (error) {
    throw toIpcError(error, ID);
  }
}

async function listenLocked(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  const path = address.name;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFIFO()) throw inUse(`${path} is not a FIFO; choose another path or remove it`);
  if (hasReader(path)) throw inUse(`a server is listening at ${path}; stop it first`);
  removeAll(path);
  await makeFifos(ID, path);
  if (options?.signal?.aborted) {
    removeAll(path);
    throw aborted(ID);
  }
  const descriptor = openFifo(path, fs.O_RDWR);
  if (descriptor === undefined) throw new IpcError("IPC_SYSTEM", `${ID}: ${path} vanished`, { transport: ID });
  return new FifoServer(ID, address, descriptor, UNBOUNDED_MESSAGE_BYTES, handler);
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(ID, options);
  let opened: StreamConnection | undefined;
  const opening = openPair(ID, address.name, options, ({ input, output }) => {
    const connection = new StreamConnection({
      transport: ID,
      maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
      handler,
      input,
      output,
      reads: "feed",
    });
    opened = connection;
    connection.open();
    return (buffer, bytes) => connection.feed(buffer, bytes);
  });
  await opening.catch((error: unknown) => Promise.reject(toIpcError(error, ID)));
  if (opened === undefined) throw new IpcError("IPC_SYSTEM", `${ID}: opened without a connection`, { transport: ID });
  return opened;
}

async function connectRawSocket(address: Address): Promise<RawClient> {
  let pair: Pair | undefined;
  await openPair(ID, address.name, undefined, (opened) => {
    pair = opened;
    return () => undefined;
  });
  if (pair === undefined) throw new IpcError("IPC_SYSTEM", `${ID}: opened without a pair`, { transport: ID });
  const { input, output } = pair;
  for (const stream of [input, output]) stream.on("error", () => undefined);
  const closed = closingOf(input);
  input.resume();
  return {
    closed,
    write(bytes) {
      return new Promise((resolve, reject) => {
        output.write(bytes, (error) => (error ? reject(toIpcError(error, ID)) : resolve()));
      });
    },
    async [Symbol.asyncDispose]() {
      input.destroy();
      output.destroy();
      await closed;
    },
  };
}

function closingOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

function inUse(what: string): IpcError {
  return new IpcError("IPC_ADDRESS_IN_USE", `${ID}: ${what}`, { transport: ID });
}

const event: EventTransport = { listen, connect };

/** The blocking face, loaded on first use, like that of `unix`. */
const blocking: BlockingTransport = {
  listen: (address, options) => fifoBlocking().listen(address, options),
  connect: (address, timeoutMs, options) => fifoBlocking().connect(address, timeoutMs, options),
};

function fifoBlocking(): BlockingTransport {
  // The compiled package has other file extensions than the source.
  const module = createRequire(import.meta.url)(`./fifo-blocking${extname(import.meta.filename)}`);
  return (module as typeof import("./fifo-blocking.ts")).fifoBlocking;
}

/** Named pipes of the file system: a hello on one FIFO, then a pair of FIFOs for each client. */
export const fifo: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    // The blocking face needs the POSIX wrapper.
    modes: process.platform === "linux" ? ["event", "blocking"] : ["event"],
    maxClients: MAX_CLIENTS,
  }),
  async probe() {
    if (process.platform === "win32") return { available: false, reason: "Windows has no FIFOs; use named-pipe" };
    const found = await mkfifoAvailability();
    return found.available ? { ...found, version: `${found.version}, node ${process.versions.node}` } : found;
  },
  async allocate(place) {
    return { transport: ID, name: join(place.directory, `fifo-${distinctName()}`) };
  },
  event,
  ...(process.platform === "linux" ? { blocking } : {}),
  peers: { python: ["python3", "peer.py"] },
  clients: { python: ["python3", "client.py"] },
  connectRaw: connectRawSocket,
  async residue(address) {
    return [...listNames(address.name), ...lockResidue(address.name)];
  },
  async sweep(address) {
    removeAll(address.name);
    await sweepLocks(address.name);
  },
};
