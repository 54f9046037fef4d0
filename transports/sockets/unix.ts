import { randomBytes } from "node:crypto";
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server as NetServer } from "node:net";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type {
  Address,
  ConnectionHandler,
  EventTransport,
  OpenOptions,
  OsObject,
  Server,
  Transport,
} from "../contract/transport.ts";
import { aborted, checkOptions } from "../support/opening.ts";
import { withPathLock } from "../support/path-lock.ts";
import { connectStranger, connectStream, isListening } from "../support/stream-client.ts";
import { StreamServer } from "../support/stream-server.ts";
import { unixBlocking } from "./unix-blocking.ts";

const ID = "unix";
const MAX_CLIENTS = 1024;
/** Newcomers the kernel keeps while we are busy; it lowers the figure to net.core.somaxconn. */
const BACKLOG = 1024;
/** `sun_path` without its final zero. Node 20 and 22 cut a longer path silently, so it is checked here. */
export const MAX_PATH_BYTES: number = process.platform === "darwin" ? 103 : 107;

const event: EventTransport = {
  async listen(address, handler, options) {
    checkOptions(ID, options);
    checkPath(address.name);
    try {
      return await withPathLock(address.name, ID, () => listenLocked(address, handler, options));
    } catch (error) {
      throw toIpcError(error, ID);
    }
  },

  async connect(address, handler, options) {
    checkPath(address.name);
    return connectStream(ID, { path: address.name }, UNBOUNDED_MESSAGE_BYTES, handler, options);
  },
};

async function listenLocked(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  await clearStalePath(address.name);
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
  if (options?.signal?.aborted) {
    await server.close();
    throw aborted(ID);
  }
  return server;
}

/** Removes a socket nobody answers at. @throws IpcError IPC_ADDRESS_IN_USE for a live server and for anything else. */
async function clearStalePath(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw inUse(`${path} is not a socket; choose another path or remove it yourself`);
  if (await isListening({ path })) throw inUse(`a server is listening at ${path}`);
  unlinkSync(path);
}

/** The socket is born with mode 0600: the mask is in force while `bind`, which Node calls synchronously, creates it. */
async function listenPrivately(listener: NetServer, path: string): Promise<void> {
  const bound = new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.once("listening", () => {
      listener.off("error", reject);
      resolve();
    });
  });
  // A worker thread cannot set the mask; there only the private directory and the chmod below protect the path.
  const mask = isMainThread ? process.umask(0o177) : undefined;
  try {
    listener.listen({ path, backlog: BACKLOG, exclusive: true });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  await bound;
  chmodSync(path, 0o600);
}

/** @throws IpcError IPC_SYSTEM with errno ENAMETOOLONG. */
export function checkPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_PATH_BYTES) return;
  const message = `${ID}: the path ${path} has ${bytes} bytes, a socket's may have ${MAX_PATH_BYTES}; use a shorter directory`;
  throw new IpcError("IPC_SYSTEM", message, { transport: ID, errno: "ENAMETOOLONG" });
}

function inUse(what: string): IpcError {
  return new IpcError("IPC_ADDRESS_IN_USE", `${ID}: ${what}`, { transport: ID });
}

/** Unix domain stream sockets over `node:net`, messages behind a u32 length prefix. */
export const unix: Transport = {
  id: ID,
  capabilities: {
    // The blocking face needs the POSIX wrapper; it shows what the event loop costs.
    modes: process.platform === "linux" ? ["event", "blocking"] : ["event"],
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
    auth: ["permissions"],
    persistent: false,
    platforms: ["linux", "darwin"],
    languages: ["any"],
  },
  async probe() {
    if (process.platform === "win32") {
      return { available: false, reason: "Node has no Unix sockets on Windows; use named-pipe" };
    }
    return { available: true, version: `node ${process.versions.node}, libuv ${process.versions.uv}` };
  },
  async allocate(place) {
    const path = join(place.directory, `unix-${randomBytes(4).toString("hex")}.sock`);
    checkPath(path);
    return { transport: ID, name: path };
  },
  event,
  ...(process.platform === "linux" ? { blocking: unixBlocking } : {}),
  stranger: (address) => connectStranger(ID, { path: address.name }),
  async residue(address): Promise<readonly OsObject[]> {
    const found = lstatSync(address.name, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ kind: "path", name: address.name, mode: found.mode & 0o777 }];
  },
  async sweep(address) {
    if (lstatSync(address.name, { throwIfNoEntry: false })?.isSocket()) unlinkSync(address.name);
  },
};
