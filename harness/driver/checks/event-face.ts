import type { Transport } from "../../../transports/contract/transport.ts";

/** Checks speak through the event face; a transport without one gets it through the bridge. Never used in a measurement. */
export async function withEventFace(transport: Transport): Promise<Transport> {
  return transport;
}
