import type { WaitMode } from "../../transports/contract/capabilities.ts";
import type { Address, Transport } from "../../transports/contract/transport.ts";
import { programFor } from "../cli/peers.ts";
import type { RunningPeer } from "../driver/peers/running-peer.ts";
import { startPeer } from "../driver/peers/start-peer.ts";

/** Starts a Python peer; `ended` gets the function that kills it. */
export async function startPython(
  transport: Transport,
  mode: WaitMode,
  address: Address,
  ended: (() => unknown)[],
  key?: Uint8Array,
): Promise<RunningPeer> {
  const peer = await startPeer({
    transport,
    reference: { id: transport.id, module: null },
    mode,
    address,
    ...(key && { key }),
    pin: [],
    language: "python",
    // Found once per file: the script itself would look for the module at each start.
    program: programFor(transport, "python"),
    onSpawn: () => undefined,
  });
  ended.push(() => peer.kill("SIGKILL"));
  return peer;
}
