import { closeSync, existsSync, lstatSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, Server, Transport } from "../contract/transport.ts";
import { libc, posixAvailability } from "../posix/binding.ts";
import { Mapping } from "../posix/mapping.ts";
import { bindPath, connectPath, isAnswered, MSG_DONTWAIT, MSG_NOSIGNAL, unixSocket } from "../posix/unix-socket.ts";
import { localQueueCapabilities } from "../support/capabilities.ts";
import { ClosesOnce } from "../support/closing.ts";
import { randomInt } from "../support/crypto.ts";
import { distinctName } from "../support/distinct-name.ts";
import { aborted, checkOptions, OPEN_LIMIT_MS } from "../support/opening.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";
import { adoptDescriptor } from "../support/pipe-handle.ts";
import { inUse, pathsResidue, sweepPaths } from "../support/socket-path.ts";
import { DatagramConnection, KIND_BYTES, Kind, MAX_MESSAGE_BYTES } from "./datagram-connection.ts";

const ID = "unix-dgram";
const MAX_CLIENTS = 64;
/** Half of net.unix.max_dgram_qlen, so that a full window never fills the other side's queue. */
const MAX_IN_FLIGHT = 5;
const STEP_MS = 2;
const HELLO_MS = 100;
/** Length of a hello or welcome, bytes: a word with the kind and, in its upper half, the slot; then the token. */
const GREETING_BYTES = 2 * KIND_BYTES;

/** Path of the client's socket and (serverPath) of the server's socket for it; both exist only while connecting. */
const clientPath = (name: string, slot: number): string => `${name}-${slot}c`;
const serverPath = (name: string, slot: number): string => `${name}-${slot}s`;

function error(code: IpcError["code"], text: string): IpcError {
  return new IpcError(code, `${ID}: ${text}`, { transport: ID });
}

/**
 * Binds a path; takes over a path that a killed process left. Only that needs the lock, since binding a free path is a
 * single step.
 */
function bindFresh(path: string): number {
  const fd = unixSocket("datagram", true);
  try {
    try {
      bindPath(fd, path);
    } catch (failure) {
      if (!isIpcError(failure) || failure.errno !== "EADDRINUSE") throw failure;
      withPathLockSync(path, ID, () => {
        if (!clearStale(path, failure))
          throw inUse(ID, `a server is listening at ${path}; stop it first`, failure.cause);
        bindPath(fd, path);
      });
    }
    return fd;
  } catch (failure) {
    closeSync(fd);
    throw failure;
  }
}

/** Removes a stale socket; the caller must hold the lock of the path. @returns `true` if the path is free now */
function clearStale(path: string, failure?: IpcError): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  if (!found.isSocket()) {
    throw inUse(ID, `${path} is not a socket; choose another path or remove it yourself`, failure?.cause);
  }
  if (isAnswered(path, "datagram")) return false;
  rmSync(path, { force: true });
  return true;
}

/**
 * The listening end. libuv does not report the sender of a datagram, so a hello contains the client's slot. Each client
 * gets a connected pair of sockets; from then on the kernel rejects every other sender.
 */
class DatagramServer extends ClosesOnce implements Server {
  readonly address: Address;
  readonly #handler: ConnectionHandler;
  readonly #connections = new Set<DatagramConnection>();
  #hellos: Socket;

  constructor(address: Address, handler: ConnectionHandler) {
    super();
    this.address = address;
    this.#handler = handler;
    this.#hellos = this.#listen();
  }

  #listen(): Socket {
    const socket = adoptDescriptor(bindFresh(this.address.name));
    socket.on("data", (datagram: Buffer) => this.#greet(datagram));
    socket.on("error", () => undefined);
    // An empty datagram, which anybody with write permission may send, looks like the end of the stream: open again.
    socket.on("end", () => {
      rmSync(this.address.name, { force: true });
      socket.destroy();
      if (!this.isClosing) this.#hellos = this.#listen();
    });
    return socket;
  }

  #greet(hello: Buffer): void {
    if (hello.length !== GREETING_BYTES || hello[0] !== Kind.hello) return;
    const slot = hello.readUInt16LE(2);
    if (slot >= MAX_CLIENTS || this.#connections.size >= MAX_CLIENTS) return;
    const path = serverPath(this.address.name, slot);
    let fd: number;
    try {
      fd = bindFresh(path);
    } catch (failure) {
      // The client has sent a second hello, or no descriptors are left: the client retries or gives up.
      if (isIpcError(failure)) return;
      throw failure;
    }
    try {
      connectPath(fd, clientPath(this.address.name, slot));
      sendGreeting(fd, Kind.welcome, slot, hello.readUInt32LE(4));
    } catch (failure) {
      closeSync(fd);
      rmSync(path, { force: true });
      if (isIpcError(failure)) return;
      throw failure;
    }
    const inode = lstatSync(path, { throwIfNoEntry: false })?.ino;
    const connection = new DatagramConnection(ID, fd, this.#handler, () => {
      this.#connections.delete(connection);
      // The path is left only if the client never became ready; by now it may belong to the next client.
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === inode) rmSync(path, { force: true });
    });
    this.#connections.add(connection);
    connection.start();
  }

  protected override async closeOnce(): Promise<void> {
    // Removed before closing: a new server may take over a path without a listener, and would then lose its socket.
    rmSync(this.address.name, { force: true });
    this.#hellos.destroy();
    await Promise.allSettled([...this.#connections].map((connection) => connection.close()));
  }
}

function sendGreeting(fd: number, kind: number, slot: number, token: number): boolean {
  const memory = Mapping.anonymous(GREETING_BYTES);
  try {
    memory.words[0] = kind | (slot << 16);
    memory.words[1] = token;
    const api = libc();
    return api.send(fd, memory.pointer(0), GREETING_BYTES, MSG_DONTWAIT | MSG_NOSIGNAL) === GREETING_BYTES;
  } finally {
    memory.close();
  }
}

/** @returns `true` if the welcome with that token has arrived */
function isWelcomed(fd: number, slot: number, token: number): boolean {
  const memory = Mapping.anonymous(GREETING_BYTES);
  try {
    const api = libc();
    const length = api.recv(fd, memory.pointer(0), GREETING_BYTES, MSG_DONTWAIT);
    return length === GREETING_BYTES && memory.words[0] === (Kind.welcome | (slot << 16)) && memory.words[1] === token;
  } finally {
    memory.close();
  }
}

function bindClient(name: string): { fd: number; slot: number } {
  for (let slot = 0; slot < MAX_CLIENTS; slot++) {
    // Both paths are removed once a connection is open, so a path that exists belongs to a client that is connecting.
    const theirs = serverPath(name, slot);
    if (existsSync(theirs) && !withPathLockSync(theirs, ID, () => clearStale(theirs))) continue;
    try {
      return { fd: bindFresh(clientPath(name, slot)), slot };
    } catch (failure) {
      if (!isIpcError(failure) || failure.errno !== "EADDRINUSE") throw failure;
    }
  }
  throw error("IPC_TIMEOUT", `${MAX_CLIENTS} clients are connected or connecting: try again later`);
}

async function connect(
  address: Address,
  handler: ConnectionHandler,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  if (!isAnswered(address.name, "datagram")) throw error("IPC_PEER_LOST", `nobody listens at ${address.name}`);
  const { fd, slot } = bindClient(address.name);
  try {
    await shakeHands(address.name, fd, slot, signal);
    connectPath(fd, serverPath(address.name, slot));
    const connection = new DatagramConnection(ID, fd, handler, () => undefined);
    connection.say(Kind.ready);
    connection.start();
    return connection;
  } catch (failure) {
    closeSync(fd);
    throw failure;
  } finally {
    // The server's socket is connected to ours by now, or never will be, so no path is needed any more.
    rmSync(clientPath(address.name, slot), { force: true });
    rmSync(serverPath(address.name, slot), { force: true });
  }
}

async function shakeHands(name: string, fd: number, slot: number, signal: AbortSignal | undefined): Promise<void> {
  const untilMs = performance.now() + OPEN_LIMIT_MS;
  const token = randomInt(1, 2 ** 31);
  let helloSentMs = Number.NEGATIVE_INFINITY;
  while (!isWelcomed(fd, slot, token)) {
    if (signal?.aborted) throw aborted(ID);
    if (performance.now() > untilMs) throw error("IPC_TIMEOUT", `the server did not answer in ${OPEN_LIMIT_MS} ms`);
    // Repeated, since a server that reopens its socket loses the datagrams in the old one.
    if (performance.now() - helloSentMs > HELLO_MS && sayHello(name, slot, token)) helloSentMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

/** @returns `true` if the hello was sent @throws IpcError IPC_PEER_LOST if nobody listens */
function sayHello(name: string, slot: number, token: number): boolean {
  const fd = unixSocket("datagram", true);
  try {
    connectPath(fd, name);
    return sendGreeting(fd, Kind.hello, slot, token);
  } finally {
    closeSync(fd);
  }
}

function pathsOf({ name }: Address): string[] {
  const slots = Array.from({ length: MAX_CLIENTS }, (_, slot) => slot);
  return [name, ...slots.flatMap((slot) => [clientPath(name, slot), serverPath(name, slot)])];
}

/** Unix datagram sockets: the kernel keeps message boundaries, and a full queue pushes back. */
export const unixDgram: Transport = {
  activeWhenIdle: true,
  id: ID,
  capabilities: localQueueCapabilities({
    modes: ["event"],
    boundaries: "kernel",
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxClients: MAX_CLIENTS,
    maxInFlight: MAX_IN_FLIGHT,
  }),
  async probe() {
    return posixAvailability();
  },
  async allocate({ directory }) {
    return { transport: ID, name: join(directory, `d${distinctName()}`) };
  },
  event: {
    async listen(address, handler, options) {
      checkOptions(ID, options);
      return new DatagramServer(address, handler);
    },
    async connect(address, handler, options) {
      checkOptions(ID, options);
      return connect(address, handler, options?.signal);
    },
  },
  async residue(address) {
    return pathsResidue(pathsOf(address), ID);
  },
  sweep: (address) => sweepPaths(pathsOf(address), ID),
};
