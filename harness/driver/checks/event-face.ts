import type { Transport } from "../../../transports/contract/transport.ts";
import { bridgeBlocking } from "../../../transports/support/blocking-bridge.ts";

/** Adds an event face to a transport without one. Only for checks; measurements do not use it. */
export async function withEventFace(transport: Transport): Promise<Transport> {
  if (transport.event !== undefined || transport.blocking === undefined) return transport;
  return { ...transport, event: bridgeBlocking(transport) };
}
