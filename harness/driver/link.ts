import { Method } from "../../scenarios/check.ts";
import type { Transport } from "../../transports/contract/transport.ts";
import { inTime } from "../process/in-time.ts";
import type { DriverStart } from "../process/messages.ts";
import { exchangeBlocking } from "./costs.ts";
import type { Link } from "./models/model.ts";
import type { RunningPeer } from "./peers/running-peer.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** Limits for transports that ignore their own, ms. */
const CONNECT_LIMIT_MS = 15_000;
const CLOSE_LIMIT_MS = 7000;

/** Connects to a peer over the face of the run. @throws IpcError as `connect` of that face */
export async function openLink(transport: Transport, start: DriverStart, peer: RunningPeer): Promise<Link> {
  if (start.mode === "event") {
    return { face: "event", client: await inTime("connect()", CONNECT_LIMIT_MS, () => peer.connect()), peer };
  }
  if (transport.blocking === undefined) throw new Error(`${transport.id} has no blocking face`);
  const connection = peer.blocking ?? transport.blocking.connect(peer.address, CONNECT_TIMEOUT_MS);
  return { face: "blocking", connection, peer };
}

/** Closes the connection, and ends a blocking server, which has no other channel than its connection. */
export async function closeLink(link: Link): Promise<void> {
  if (link.face === "event") return inTime("close()", CLOSE_LIMIT_MS, () => link.client.close());
  exchangeBlocking(link, Method.shutdown);
  link.connection[Symbol.dispose]();
}
