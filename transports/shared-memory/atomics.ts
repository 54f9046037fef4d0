import { MessageChannel, threadId } from "node:worker_threads";
import { IpcError } from "../contract/errors.ts";
import type { Address, Connection, ConnectionHandler, OpenOptions, Server, Transport } from "../contract/transport.ts";
import { streamCapabilities } from "../support/capabilities.ts";
import { closableServer } from "../support/closable-server.ts";
import { distinctName } from "../support/distinct-name.ts";
import { checkOptions } from "../support/opening.ts";
import { THREAD, ThreadMeeting } from "../support/thread-meeting.ts";
import { atomicsBlocking } from "./atomics-blocking.ts";
import { AtomicsConnection, failure, ID, MAX_MESSAGE_BYTES, RING_BYTES } from "./atomics-connection.ts";
import { pairBytes } from "./layout.ts";

const MAX_CLIENTS = 1024;
const meeting = new ThreadMeeting(ID);

async function listen(address: Address, handler: ConnectionHandler, options?: OpenOptions): Promise<Server> {
  checkOptions(ID, options);
  const { name } = address;
  if (meeting.has(name)) throw failure("IPC_ADDRESS_IN_USE", `a server is listening at ${name}; stop it first`);
  const connections = new Set<AtomicsConnection>();
  meeting.open(name, (port, memory) => {
    const isValid = memory?.byteLength === pairBytes(RING_BYTES) && connections.size < MAX_CLIENTS;
    if (!isValid) return port.close();
    const end = { memory, port, isServer: true };
    const connection = new AtomicsConnection(end, handler, () => connections.delete(connection));
    connections.add(connection);
    connection.start();
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
  // The system gives memory for its pages only when they are used.
  const memory = new SharedArrayBuffer(pairBytes(RING_BYTES));
  try {
    await meeting.handOver(address.name, address.options?.[THREAD], port2, memory);
  } catch (error) {
    port1.close();
    throw new IpcError("IPC_PEER_LOST", `${ID}: nobody listens at ${address.name}`, { transport: ID, cause: error });
  }
  const connection = new AtomicsConnection({ memory, port: port1, isServer: false }, handler, () => undefined);
  connection.start();
  return connection;
}

/**
 * A pair of rings in a SharedArrayBuffer, between threads. It does not cross a process boundary; it is a baseline that
 * shows the cost of waking another thread without the kernel's objects.
 */
export const workerAtomics: Transport = {
  id: ID,
  capabilities: streamCapabilities({
    modes: ["event", "blocking"],
    rendezvous: "process",
    maxMessageBytes: MAX_MESSAGE_BYTES,
    auth: [],
    platforms: ["linux", "darwin", "win32"],
    languages: [],
  }),
  async probe() {
    return { available: true, version: `node ${process.versions.node}` };
  },
  async allocate() {
    return { transport: ID, name: `atomics-${distinctName()}` };
  },
  event: { listen, connect },
  blocking: atomicsBlocking,
  async residue() {
    return [];
  },
  async sweep() {},
};
