import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError } from "../contract/errors.ts";
import type {
  Address,
  ConnectionHandler,
  EventTransport,
  LaunchedPeer,
  LaunchOptions,
  Server,
  Transport,
} from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { launchRaw } from "../support/launched-raw-client.ts";
import { checkOptions } from "../support/opening.ts";
import { openStandardStreams, startOverStandardStreams } from "../support/standard-streams.ts";
import { StreamConnection } from "../support/stream-connection.ts";
import { stdioSync } from "./stdio-sync.ts";

const ID = "stdio";
const STDOUT = 1;
/** True on Windows: the runtime keeps descriptors 0 to 2 open, so their end of file comes when the process ends. */
const SAYS_LAST_WORD = process.platform === "win32";
async function listen(address: Address, handler: ConnectionHandler): Promise<Server> {
  const connection = new StreamConnection({
    transport: ID,
    maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
    handler,
    ...openStandardStreams(ID),
    saysLastWord: SAYS_LAST_WORD,
  });
  // After `listen` has returned, as with every other server.
  setImmediate(() => connection.open());
  // If the parent does not hang up, that is ignored; the descriptors are closed all the same.
  return closableServer(address, () => connection.close().catch(() => undefined));
}

async function launch(
  command: readonly [string, ...string[]],
  handler: ConnectionHandler,
  options?: LaunchOptions,
): Promise<LaunchedPeer> {
  const { input, output, ...child } = await startOverStandardStreams(ID, command, options);
  const connection = new StreamConnection({
    transport: ID,
    maxMessageBytes: UNBOUNDED_MESSAGE_BYTES,
    handler,
    input,
    output,
    saysLastWord: SAYS_LAST_WORD,
  });
  connection.open();
  return { connection, ...child };
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
    // On Windows no descriptor of a child's stream is known.
    modes: process.platform === "win32" ? ["event"] : ["event", "polling"],
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
  ...(process.platform === "win32" ? {} : { blocking: stdioSync }),
  usesStandardOutput: true,
  // On Windows no `cat` takes descriptors.
  ...(process.platform === "win32" ? {} : { launchRaw: (handler) => launchRaw(ID, launch, STDOUT, handler) }),
  async residue() {
    return [];
  },
  async sweep() {},
};
