import { createServer, connect as netConnect } from "node:net";
import { IpcError } from "../contract/errors.ts";
import type {
  Address,
  Connection,
  ConnectionHandler,
  EventTransport,
  LaunchedPeer,
  LaunchOptions,
  OpenOptions,
  Server,
  Transport,
} from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { launchRaw } from "../support/launched-raw-client.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { pathTransport } from "../support/path-transport.ts";
import { listenPrivately } from "../support/private-listener.ts";
import { listenAtPath } from "../support/socket-path.ts";
import { checkSocketPath } from "../support/socket-path-limit.ts";
import { openStandardStreams, startOverStandardStreams } from "../support/standard-streams.ts";
import { openClient } from "./client.ts";
import { CLIENT_OPTIONS, http2, http2Error, MAX_BYTES, MAX_STREAMS, probeHttp2, widenWindow } from "./library.ts";
import { SessionServer } from "./server.ts";
import { TwoStreams } from "./two-streams.ts";

const UNIX = "http2/unix";
const STDIO = "http2/stdio";
const STDOUT = 1;
/** The library demands an authority. Its host is never looked up. */
const AUTHORITY = "http://localhost";

const COMMON = {
  patterns: ["request-reply"],
  boundaries: "library",
  // A long message takes turns with those after it, so they may arrive before it.
  ordering: "none",
  maxMessageBytes: MAX_BYTES,
  maxInFlight: MAX_STREAMS,
  backpressure: "outbox",
} as const;

async function listenAtSocket(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(UNIX, options);
  const sessions = new SessionServer(UNIX, handler);
  const listener = createServer((socket) => sessions.serve(socket));
  await listenAtPath(address.name, UNIX, () => listenPrivately(listener, address.name));
  return closableServer(address, async () => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    await sessions.close();
    await closed;
  });
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(UNIX, options);
  checkSocketPath(address.name, UNIX);
  const session = http2().connect(AUTHORITY, { ...CLIENT_OPTIONS, createConnection: () => netConnect(address.name) });
  const opened = new Promise<Connection>((resolve, reject) => {
    session.on("error", (error) => reject(http2Error(UNIX, error)));
    session.once("close", () => {
      reject(new IpcError("IPC_PEER_LOST", `${UNIX}: the server hung up before its settings`, { transport: UNIX }));
    });
    session.once("remoteSettings", () => {
      widenWindow(session);
      resolve(openClient(UNIX, session, handler, true));
    });
  });
  return withinLimit(UNIX, options, opened, () => session.destroy());
}

/** HTTP/2 over a Unix socket, without TLS: each message is a stream of one session. */
export const http2Unix: Transport = pathTransport({
  id: UNIX,
  stem: "http2",
  capabilities: streamCapabilities(COMMON),
  async probe() {
    if (process.platform === "win32") return { available: false, reason: "Node has no Unix sockets on Windows" };
    return probeHttp2();
  },
  event: { listen: listenAtSocket, connect },
});

async function listenOnStreams(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(STDIO, options);
  const sessions = new SessionServer(STDIO, handler);
  const streams = new TwoStreams(openStandardStreams(STDIO));
  // After `listen` has returned, as with every other server.
  setImmediate(() => sessions.serve(streams));
  return closableServer(address, () => sessions.close());
}

async function launch(
  command: readonly [string, ...string[]],
  handler: ConnectionHandler,
  options?: LaunchOptions,
): Promise<LaunchedPeer> {
  const { input, output, ...child } = await startOverStandardStreams(STDIO, command, options);
  const streams = new TwoStreams({ input, output });
  const session = http2().connect(AUTHORITY, { ...CLIENT_OPTIONS, createConnection: () => streams });
  session.once("remoteSettings", () => widenWindow(session));
  return { connection: openClient(STDIO, session, handler, false), ...child };
}

const stdioEvent: EventTransport = {
  listen: listenOnStreams,
  async connect() {
    const message = `${STDIO}: there is no address to connect to; launch() starts the peer and returns the connection`;
    throw new IpcError("IPC_UNSUPPORTED", message, { transport: STDIO });
  },
  launch,
};

/** HTTP/2 over the standard input and output of a child process. */
export const http2Stdio: Transport = {
  id: STDIO,
  capabilities: streamCapabilities({
    ...COMMON,
    rendezvous: "parent",
    maxClients: 1,
    platforms: ["linux", "darwin", "win32"],
  }),
  probe: probeHttp2,
  async allocate() {
    return { transport: STDIO, name: `http2-${distinctName()}` };
  },
  event: stdioEvent,
  // On Windows no `cat` takes descriptors.
  ...(process.platform === "win32" ? {} : { launchRaw: (handler) => launchRaw(STDIO, launch, STDOUT, handler) }),
  async residue() {
    return [];
  },
  async sweep() {},
};
