import type { Address, OpenOptions, Transport } from "../../transports/contract/transport.ts";
import { RpcClient } from "./client.ts";

/** Opens a connection with a request/reply client on it. @throws IpcError as `EventTransport.connect` */
export async function connectRpc(transport: Transport, address: Address, options?: OpenOptions): Promise<RpcClient> {
  if (transport.event === undefined) throw new TypeError(`${transport.id} has no event face`);
  const client = new RpcClient(transport.capabilities.maxInFlight);
  await transport.event.connect(address, client, options);
  return client;
}
