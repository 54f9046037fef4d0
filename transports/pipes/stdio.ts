import { type ChildProcess, spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type {
  Address,
  Connection,
  ConnectionHandler,
  EventTransport,
  LaunchedPeer,
  LaunchOptions,
  Server,
  Transport,
} from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { distinctName } from "../support/distinct-name.ts";
import { launchRaw } from "../support/launched-raw-client.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { StreamConnection } from "../support/stream-connection.ts";

const ID = "stdio";
const STDOUT = 1;
/** True on Windows: the runtime keeps descriptors 0 to 2 open, so their end of file comes when the process ends. */
const SAYS_LAST_WORD = process.platform === "win32";
/** S_IFMT and S_IFIFO of stat(2). */
const FILE_TYPE = 0o170000;
const FIFO_TYPE = 0o010000;

/** `true` once a server runs: the process has one pair of standard streams, and so can have one server. */
let listening = false;

class StdioServer implements Server {
  readonly address: Address;
  readonly #connection: Connection;

  constructor(address: Address, connection: Connection) {
    this.address = address;
    this.#connection = connection;
  }

  async close(): Promise<void> {
    // If the parent does not hang up, that is ignored; the descriptors are closed all the same.
    await this.#connection.close().catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function listen(address: Address, handler: ConnectionHandler): Promise<Server> {
  if (listening) {
    const message = `${ID}: standard input and output of process ${process.pid} are in use already`;
    throw new IpcError("IPC_ADDRESS_IN_USE", message, { transport: ID });
  }
  requirePipe(0);
  requirePipe(1);
  listening = true;
  // Sockets of our own, because `process.stdout` writes synchronously and never reports that it is full.
  const input = new Socket({ fd: 0, readable: true, writable: false });
  const output = new Socket({ fd: 1, readable: false, writable: true });
  const connection = new StreamConnection({
    transport: ID,
    maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
    handler,
    input,
    output,
    saysLastWord: SAYS_LAST_WORD,
  });
  // After `listen` has returned, as with every other server.
  setImmediate(() => connection.open());
  return new StdioServer(address, connection);
}

function requirePipe(descriptor: 0 | 1): void {
  let found: string;
  try {
    const stats = fstatSync(descriptor);
    // On Windows the mode shows a pipe, but `isFIFO` returns false for everything.
    if (stats.isSocket() || (stats.mode & FILE_TYPE) === FIFO_TYPE) return;
    found = stats.isFile() ? "a file" : "a terminal or another device";
  } catch {
    found = "closed";
  }
  const message = `${ID}: descriptor ${descriptor} is ${found}; a peer is started by launch(), which connects it`;
  throw new IpcError("IPC_UNSUPPORTED", message, { transport: ID });
}

async function launch(
  command: readonly [string, ...string[]],
  handler: ConnectionHandler,
  options?: LaunchOptions,
): Promise<LaunchedPeer> {
  checkOptions(ID, options);
  const [program, ...args] = command;
  // The peer's errors belong on our own standard error; descriptor 3 is its control channel.
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "inherit", "pipe"],
    ...(options?.env === undefined ? {} : { env: { ...options.env } }),
  });
  const exited = exitOf(child);
  const started = new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(toIpcError(error, ID, "IPC_SYSTEM")));
  });
  await withinLimit(ID, options, started, () => child.kill("SIGKILL"));
  const control = child.stdio[3];
  if (child.stdin === null || child.stdout === null || child.pid === undefined || !(control instanceof Duplex)) {
    child.kill("SIGKILL");
    throw new IpcError("IPC_SYSTEM", `${ID}: ${program} was started without its pipes`, { transport: ID });
  }
  const connection = new StreamConnection({
    transport: ID,
    maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
    handler,
    input: child.stdout,
    output: child.stdin,
    saysLastWord: SAYS_LAST_WORD,
  });
  connection.open();
  return { connection, pid: child.pid, control, exited };
}

function exitOf(child: ChildProcess): LaunchedPeer["exited"] {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    // A command that fails to start emits no exit.
    child.once("error", () => resolve({ code: null, signal: null }));
  });
}

const event: EventTransport = {
  async listen(address, handler, options) {
    checkOptions(ID, options);
    return listen(address, handler);
  },
  async connect() {
    const message = `${ID}: there is no address to connect to; launch() starts the peer and returns the connection`;
    throw new IpcError("IPC_UNSUPPORTED", message, { transport: ID });
  },
  launch,
};

/** The standard input and output of a child process; each message follows a u32 length prefix. */
export const stdio: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    rendezvous: "parent",
    maxClients: 1,
    // The descriptors are private to the two processes.
    auth: ["permissions"],
    platforms: ["linux", "darwin", "win32"],
  }),
  async probe() {
    return { available: true, version: `node ${process.versions.node}, libuv ${process.versions.uv}` };
  },
  async allocate() {
    return { transport: ID, name: `stdio-${distinctName()}` };
  },
  event,
  // On Windows no `cat` takes descriptors.
  ...(process.platform === "win32" ? {} : { launchRaw: (handler) => launchRaw(ID, launch, STDOUT, handler) }),
  async residue() {
    return [];
  },
  async sweep() {},
};
