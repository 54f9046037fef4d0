import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Method } from "../../../scenarios/check.ts";
import { HEADER_BYTES, Kind } from "../../../transports/contract/frame.ts";
import type {
  Address,
  BlockingConnection,
  BlockingTransport,
  EventTransport,
  Transport,
} from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { pingPongOver } from "../../driver/models/ping-pong.ts";
import { hostThread } from "../../driver/peers/hosted-thread.ts";
import { BlockingEchoServer } from "../../peer/blocking-server.ts";
import { EventServer } from "../../peer/event-server.ts";
import { RpcClient } from "../../rpc/client.ts";
import { buildFrame } from "../../rpc/message.ts";
import { ARMS } from "./arms.ts";
import { apart } from "./sync.ts";
import type { Turns } from "./turns.ts";

const START_LIMIT_MS = 20_000;
const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

/** Transport of an arm, with the face of the arm's mode. */
type Loaded = { readonly transport: Transport; readonly isApart: boolean } & (
  | { readonly event: EventTransport }
  | { readonly event: undefined; readonly blocking: BlockingTransport }
);

async function load(name: string): Promise<Loaded> {
  const arm = await ARMS[name]?.();
  const { id, mode } = arm?.ours ?? { id: name, mode: "event" };
  const transport = await REGISTRY.find((each) => each.id === id)?.load();
  const [face, isApart] = [mode === "event" ? "event" : "blocking", arm?.isApart === true] as const;
  if (transport?.[face] === undefined) throw new Error(`${id}: no such transport with a face for ${mode}`);
  if (face === "event") return { transport, isApart, event: transport.event as EventTransport };
  return { transport, isApart, event: undefined, blocking: transport.blocking as BlockingTransport };
}

/** Listens with our server. A blocking one begins to serve in the next turn, when its address is printed. */
async function listen(loaded: Loaded, address: Address): Promise<Address> {
  const { maxMessageBytes } = loaded.transport.capabilities;
  if (loaded.event !== undefined) {
    const program = new EventServer(() => undefined, maxMessageBytes);
    return (await loaded.event.listen(address, program)).address;
  }
  const server = loaded.blocking.listen(address);
  // Where its parent was gone before this began, no later check finds that.
  const hooks = { onStream: () => undefined, stopAsked: () => process.ppid === 1 };
  setImmediate(() => new BlockingEchoServer(server, maxMessageBytes, hooks).serve());
  return server.address;
}

/** Serves the same echo through our contract: the server of the peer process, the client of the driver process. */
export async function serveContract(name: string, directory: string): Promise<string> {
  const loaded = await load(name);
  const place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
  return JSON.stringify(await listen(loaded, await loaded.transport.allocate(place)));
}

/** Runs the peer of a transport that is launched; it ends with its parent's connection. */
export async function peerContract(name: string): Promise<void> {
  const loaded = await load(name);
  await listen(loaded, { transport: loaded.transport.id, name: "launched" });
}

/** Runs the windows of the driver's own model, over a connection of its own kind. */
export async function exchangeContract(name: string, where: string, turns: Turns, bodyBytes: number): Promise<void> {
  const loaded = await load(name);
  const wire = await open(name, loaded, where);
  const model = pingPongOver(wire, bodyBytes);
  for (let count = turns.next(); count !== undefined; count = turns.next()) {
    const { samples, problem, corrupted } = await model.window(count);
    if (samples === null || problem !== undefined || corrupted > 0)
      throw new Error(problem ?? "a reply arrived damaged");
    turns.report(samples);
  }
  if (wire.face === "event") await wire.client.close();
}

async function open(name: string, loaded: Loaded, where: string): Promise<Parameters<typeof pingPongOver>[0]> {
  const own = [process.execPath, ...process.execArgv, MAIN, "contract-peer", name] as const;
  const command = loaded.isApart ? apart(own) : own;
  const isLaunched = loaded.transport.capabilities.rendezvous === "parent";
  if (loaded.event === undefined) {
    if (!isLaunched) {
      const address = where === "" ? await serveInThread(loaded.transport) : JSON.parse(where);
      return { face: "blocking", connection: loaded.blocking.connect(address, 10_000) };
    }
    const peer = await loaded.blocking.launch?.(command);
    if (peer === undefined) throw new Error(`${name}: it launches no peer in blocking mode`);
    peer.control.resume();
    untilServed(peer.connection);
    return { face: "blocking", connection: peer.connection };
  }
  const client = new RpcClient(1);
  if (isLaunched) (await loaded.event.launch?.(command, client))?.control.resume();
  else await loaded.event.connect(JSON.parse(where || (await serveContract(name, "/nowhere"))) as Address, client);
  return { face: "event", client };
}

/** Waits for the reply to a first request, since the peer is still being started. */
function untilServed(connection: BlockingConnection): void {
  const into = new Uint8Array(HEADER_BYTES);
  connection.send(buildFrame(Kind.request, 0, Method.echo, 0, new Uint8Array(0)), START_LIMIT_MS);
  if (connection.receive(into, START_LIMIT_MS) < 0) throw new Error(`the peer did not start in ${START_LIMIT_MS} ms`);
}

/** Starts our server in another thread of this process, as the driver does. */
async function serveInThread(transport: Transport): Promise<Address> {
  const address = await transport.allocate({ directory: "/nowhere", prefix: "none" });
  const reference = { id: transport.id, module: null };
  return (await hostThread(transport, { type: "start", transport: reference, mode: "blocking", address, key: null }))
    .address;
}
