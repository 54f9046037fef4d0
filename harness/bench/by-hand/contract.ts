import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Address, EventTransport, Transport } from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { pingPongOver } from "../../driver/models/ping-pong.ts";
import { EventServer } from "../../peer/event-server.ts";
import { RpcClient } from "../../rpc/client.ts";
import type { Turns } from "./turns.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

async function load(id: string): Promise<Transport & { readonly event: EventTransport }> {
  const transport = await REGISTRY.find((each) => each.id === id)?.load();
  if (transport?.event === undefined) throw new Error(`${id}: no such transport with an event face`);
  return { ...transport, event: transport.event };
}

/** Serves the same echo through our contract: the server of the peer process, the client of the driver process. */
export async function serveContract(id: string, directory: string): Promise<string> {
  const transport = await load(id);
  const address = await transport.allocate({ directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
  const server = await transport.event.listen(
    address,
    new EventServer(() => undefined, transport.capabilities.maxMessageBytes),
  );
  return JSON.stringify(server.address);
}

/** Runs the peer of a transport that is launched; it ends with its parent's connection. */
export async function peerContract(id: string): Promise<void> {
  const { event, capabilities } = await load(id);
  await event.listen(
    { transport: id, name: "launched" },
    new EventServer(() => undefined, capabilities.maxMessageBytes),
  );
}

/** Runs the windows of the driver's own model, over a connection of its own kind. */
export async function exchangeContract(id: string, where: string, turns: Turns, bodyBytes: number): Promise<void> {
  const { event, capabilities } = await load(id);
  const client = new RpcClient(1);
  if (capabilities.rendezvous === "parent") {
    const peer = await event.launch?.([process.execPath, ...process.execArgv, MAIN, "contract-peer", id], client);
    peer?.control.resume();
  } else {
    const address = where || (await serveContract(id, "/nowhere"));
    await event.connect(JSON.parse(address) as Address, client);
  }
  const model = pingPongOver({ face: "event", client }, bodyBytes);
  for (let count = turns.next(); count !== undefined; count = turns.next()) {
    const { samples, problem, corrupted } = await model.window(count);
    if (samples === null || problem !== undefined || corrupted > 0)
      throw new Error(problem ?? "a reply arrived damaged");
    turns.report(samples);
  }
  await client.close();
}
