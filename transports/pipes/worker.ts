import { MessageChannel, threadId } from "node:worker_threads";
import { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions } from "../support/opening.ts";
import { THREAD, ThreadMeeting } from "../support/thread-meeting.ts";
import { PortConnection } from "./port-connection.ts";

const ID = "worker/port";
const meeting = new ThreadMeeting(ID);

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  const { name } = address;
  if (meeting.has(name)) {
    throw new IpcError("IPC_ADDRESS_IN_USE", `${ID}: a server is listening at ${name}`, { transport: ID });
  }
  const connections = new Set<PortConnection>();
  meeting.open(name, (port) => {
    const connection = new PortConnection(ID, port, handler, () => connections.delete(connection));
    connections.add(connection);
    connection.open();
  });
  const here = { ...address, options: { ...address.options, [THREAD]: threadId } };
  return closableServer(here, async () => {
    meeting.close(name);
    await Promise.allSettled([...connections].map((connection) => connection.close()));
  });
}

async function connect(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Connection> {
  checkOptions(ID, options);
  const { port1, port2 } = new MessageChannel();
  try {
    await meeting.handOver(address.name, address.options?.[THREAD], port2);
  } catch (error) {
    port1.close();
    throw new IpcError("IPC_PEER_LOST", `${ID}: nobody listens at ${address.name}`, { transport: ID, cause: error });
  }
  const connection = new PortConnection(ID, port1, handler);
  connection.open();
  return connection;
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
