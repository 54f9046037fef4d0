import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Kind } from "../../../transports/contract/frame.ts";
import type { Address, EventTransport, Transport } from "../../../transports/contract/transport.ts";
import { REGISTRY } from "../../../transports/registry.ts";
import { EventServer } from "../../peer/event-server.ts";
import { RpcClient } from "../../rpc/client.ts";
import { ReusableMessage } from "../../rpc/message.ts";
import { arrivedIntact, checksumHolds } from "../../rpc/verify.ts";
import { type EchoResult, summary } from "./load.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

async function load(id: string): Promise<Transport & { readonly event: EventTransport }> {
  const transport = await REGISTRY.find((each) => each.id === id)?.load();
  if (transport?.event === undefined) throw new Error(`${id}: no such transport with an event face`);
  return { ...transport, event: transport.event };
}

/** The same echo through our contract: the server of the peer process, the client of the driver process. */
export async function serveContract(id: string, directory: string): Promise<string> {
  const transport = await load(id);
  const address = await transport.allocate({ directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
  const server = await transport.event.listen(address, new EventServer(() => undefined));
  return JSON.stringify(server.address);
}

/** The peer of a transport that is launched; it ends with its parent's connection. */
export async function peerContract(id: string): Promise<void> {
  const { event } = await load(id);
  await event.listen({ transport: id, name: "launched" }, new EventServer(() => undefined));
}

export async function exchangeContract(
  id: string,
  where: string,
  count: number,
  bodyBytes: number,
  warmup: number,
): Promise<EchoResult> {
  const { event, capabilities } = await load(id);
  const client = new RpcClient(1);
  if (capabilities.rendezvous === "parent") {
    const peer = await event.launch?.([process.execPath, ...process.execArgv, MAIN, "contract-peer", id], client);
    peer?.control.resume();
  } else {
    const address = where || (await serveContract(id, "/nowhere"));
    await event.connect(JSON.parse(address) as Address, client);
  }
  const samples = new Float64Array(count);
  const message = new ReusableMessage(Kind.request, 0, new Uint8Array(bodyBytes).fill(0x5a));
  await new Promise<void>((resolve, reject) => {
    let done = -warmup;
    let startedAt = 0n;
    const send = (): void => {
      startedAt = process.hrtime.bigint();
      if (client.issue(message, Number.POSITIVE_INFINITY, onReply) < 0)
        reject(new Error("full, with nothing under way"));
    };
    const onReply = (reply: Uint8Array | undefined, error: Error | undefined): void => {
      if (reply === undefined) return reject(error);
      // The library's arm checks every byte, so this one does too, also where the harness would take a sample.
      if (!arrivedIntact(reply) || (reply.length > 4096 && !checksumHolds(reply))) return reject(new Error("damaged"));
      if (done >= 0) samples[done] = Number(process.hrtime.bigint() - startedAt);
      done++;
      if (done < count) send();
      else resolve();
    };
    send();
  });
  await client.close();
  return summary(samples, bodyBytes);
}
