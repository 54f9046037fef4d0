import { MessageChannel, type MessagePort, threadId } from "node:worker_threads";
import { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions } from "../support/opening.ts";
import { PortConnection } from "./port-connection.ts";

const ID = "worker/port";
/** Option of an address: the id of the listening thread. Absent while nobody listens. */
const THREAD = "threadId";

interface Listening {
  accept(port: MessagePort): void;
}

/** Servers of this thread by address name. */
const servers = new Map<string, Listening>();
let hearing = false;

interface Knock {
  readonly ipcmarkWorkerPort: string;
  readonly port: MessagePort;
}

/** Receives ports from other threads of the process by `postMessageToThread` (Node 22.5). */
function hearOtherThreads(): void {
  if (hearing) return;
  hearing = true;
  process.on("workerMessage", (value: unknown) => {
    if (typeof value !== "object" || value === null || !("ipcmarkWorkerPort" in value)) return;
    const { ipcmarkWorkerPort, port } = value as Knock;
    const server = servers.get(ipcmarkWorkerPort);
    if (server === undefined) port.close();
    else server.accept(port);
  });
}

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  const { name } = address;
  if (servers.has(name)) {
    throw new IpcError("IPC_ADDRESS_IN_USE", `${ID}: a server is listening at ${name}`, { transport: ID });
  }
  hearOtherThreads();
  const connections = new Set<PortConnection>();
  servers.set(name, {
    accept(port) {
      const connection = new PortConnection(ID, port, handler, () => connections.delete(connection));
      connections.add(connection);
      connection.open();
    },
  });
  const here = { ...address, options: { ...address.options, [THREAD]: threadId } };
  return closableServer(here, async () => {
    servers.delete(name);
    await Promise.allSettled([...connections].map((connection) => connection.close()));
  });
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(ID, options);
  const { port1, port2 } = new MessageChannel();
  try {
    await handOver(address, port2);
  } catch (error) {
    port1.close();
    throw new IpcError("IPC_PEER_LOST", `${ID}: nobody listens at ${address.name}`, { transport: ID, cause: error });
  }
  const connection = new PortConnection(ID, port1, handler);
  connection.open();
  return connection;
}

async function handOver(address: Address, port: MessagePort): Promise<void> {
  const thread = address.options?.[THREAD];
  const here = servers.get(address.name);
  if (here !== undefined) {
    here.accept(port);
    return;
  }
  if (typeof thread !== "number" || thread === threadId) throw new Error("no such server in this thread");
  const { postMessageToThread } = await import("node:worker_threads");
  const knock: Knock = { ipcmarkWorkerPort: address.name, port };
  await postMessageToThread(thread, knock, [port], 5000);
}

/**
 * A `MessageChannel` with transferred buffers. It does not cross a process boundary; it is a baseline that shows the
 * cost of threads in one process.
 */
export const workerPort: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    rendezvous: "process",
    boundaries: "library",
    backpressure: "outbox",
    auth: [],
    platforms: ["linux", "darwin", "win32"],
    languages: [],
  }),
  async probe() {
    return { available: true, version: `node ${process.versions.node}` };
  },
  async allocate() {
    return { transport: ID, name: `worker-${distinctName()}` };
  },
  event: { listen, connect },
  async residue() {
    return [];
  },
  async sweep() {},
};
