import { type SerializationType, spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { UNBOUNDED_MESSAGE_BYTES } from "../contract/capabilities.ts";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type {
  Address,
  ConnectionHandler,
  EventTransport,
  LaunchedPeer,
  LaunchOptions,
  OpenOptions,
  Server,
  Transport,
} from "../contract/transport.ts";
import { asBuffer } from "../support/as-buffer.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { launchRaw } from "../support/launched-raw-client.ts";
import { checkOptions, withinLimit } from "../support/opening.ts";
import { exitOf } from "../support/standard-streams.ts";
import { type Carriage, ChannelConnection, type ChannelEnd } from "./channel-connection.ts";

/** Standard error of this process. It also gets the peer's standard output, since ours may carry control lines. */
const STDERR = 2;
/** Descriptor of the channel in a child: the one after its control channel. */
const CHANNEL = 4;
const MOST_BYTES = UNBOUNDED_MESSAGE_BYTES;
/** Extra bytes of a message on the wire: type, length, quotes. */
const ENVELOPE_BYTES = 1024;
/** Growth of a message in JSON: a control character becomes six. */
const JSON_FACTOR = 6;

/** `true` once a server runs: the process has one channel, and so can have one server. */
let listening = false;

interface Flavor extends Carriage {
  readonly id: string;
  readonly serialization: SerializationType;
}

async function listen(flavor: Flavor, address: Address, handler: ConnectionHandler, options?: OpenOptions) {
  const { id } = flavor;
  checkOptions(id, options);
  if (process.send === undefined || !process.connected) {
    const message = `${id}: this process has no channel; a peer is started by launch(), which opens one`;
    throw new IpcError("IPC_UNSUPPORTED", message, { transport: id });
  }
  if (listening) {
    const message = `${id}: the channel of process ${process.pid} is in use already`;
    throw new IpcError("IPC_ADDRESS_IN_USE", message, { transport: id });
  }
  listening = true;
  const connection = new ChannelConnection(id, process as ChannelEnd, handler, flavor);
  setImmediate(() => connection.open());
  const server: Server = closableServer(address, async () => {
    // If the parent does not reply, that is ignored; the channel is closed all the same.
    await connection.close().catch(() => undefined);
  });
  return server;
}

async function launch(
  flavor: Flavor,
  command: readonly [string, ...string[]],
  handler: ConnectionHandler,
  options?: LaunchOptions,
): Promise<LaunchedPeer> {
  const { id, serialization } = flavor;
  checkOptions(id, options);
  const [program, ...args] = command;
  const child = spawn(program, args, {
    stdio: ["ignore", STDERR, STDERR, "pipe", "ipc"],
    serialization,
    ...(options?.env === undefined ? {} : { env: { ...options.env } }),
  });
  const exited = exitOf(child);
  const started = new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.on("error", (error) => reject(toIpcError(error, id, "IPC_SYSTEM")));
  });
  await withinLimit(id, options, started, () => child.kill("SIGKILL"));
  const control = child.stdio[3];
  if (child.pid === undefined || !(control instanceof Duplex)) {
    child.kill("SIGKILL");
    throw new IpcError("IPC_SYSTEM", `${id}: ${program} was started without its control channel`, { transport: id });
  }
  const connection = new ChannelConnection(id, child as ChannelEnd, handler, flavor);
  // Node's own messages about passed handles come through the channel too, and Node asserts that a handle was passed.
  child.removeAllListeners("internalMessage");
  child.on("internalMessage", () => connection.refuse("an internal message of Node without a passed handle"));
  connection.open();
  return { connection, pid: child.pid, control, exited };
}

function define(flavor: Flavor): Transport {
  const { id } = flavor;
  const launchThis: NonNullable<EventTransport["launch"]> = (command, handler, options) =>
    launch(flavor, command, handler, options);
  return {
    id,
    capabilities: streamCapabilities({
      rendezvous: "parent",
      boundaries: "library",
      maxClients: 1,
      backpressure: "outbox",
      // The descriptors are private to the two processes.
      auth: ["permissions"],
      platforms: ["linux", "darwin", "win32"],
      languages: [],
    }),
    async probe() {
      return { available: true, version: `node ${process.versions.node}` };
    },
    async allocate() {
      return { transport: id, name: `channel-${distinctName()}` };
    },
    event: {
      listen: (address, handler, options) => listen(flavor, address, handler, options),
      async connect() {
        const message = `${id}: there is no address to connect to; launch() starts the peer and returns the connection`;
        throw new IpcError("IPC_UNSUPPORTED", message, { transport: id });
      },
      launch: launchThis,
    },
    // On Windows the runtime adds a frame of its own to the channel, and ends the process if that frame is broken.
    ...(process.platform === "win32" ? {} : { launchRaw: (handler) => launchRaw(id, launchThis, CHANNEL, handler) }),
    async residue() {
      return [];
    },
    async sweep() {},
  };
}

/** `child_process` with its default serialization: every message is JSON, with the bytes as a latin1 string. */
export const channelJson: Transport = define({
  id: "channel/json",
  serialization: "json",
  rules: { mostBytes: JSON_FACTOR * MOST_BYTES + ENVELOPE_BYTES, prefixed: false },
  encode: (message) => asBuffer(message).toString("latin1"),
});

/** `child_process` with `serialization: "advanced"`: structured clone, in which bytes stay bytes. */
export const channelAdvanced: Transport = define({
  id: "channel/advanced",
  serialization: "advanced",
  rules: { mostBytes: MOST_BYTES + ENVELOPE_BYTES, prefixed: true },
  // Node needs two thirds of the time to serialize a Buffer that it needs for a plain Uint8Array.
  encode: asBuffer,
});
