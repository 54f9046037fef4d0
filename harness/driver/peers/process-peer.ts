import { PROGRAM } from "../../../transports/contract/capabilities.ts";
import type { Transport } from "../../../transports/contract/transport.ts";
import { rejection } from "../../process/failure.ts";
import type { PeerStart } from "../../process/messages.ts";
import { connectRpc } from "../../rpc/connect.ts";
import type { PeerProcess } from "./peer-process.ts";
import { READY_TIMEOUT_MS, type RunningPeer, runningPeer } from "./running-peer.ts";

/** Starts a process that listens at an address that both sides have, for rendezvous `address`. */
export async function startProcessPeer(
  transport: Transport,
  child: PeerProcess,
  start: PeerStart,
  onSpawn: (pid: number) => void,
): Promise<RunningPeer> {
  child.send(start);
  const answer = await child.next(["ready", "failed"], READY_TIMEOUT_MS).catch(async (error: unknown) => {
    await child.terminate(0);
    throw error;
  });
  if (answer.type === "failed") {
    await child.terminate();
    throw rejection(transport.id, answer);
  }
  // Reports the process of a user's program, which the coordinator ends if the peer cannot.
  if (answer.language === PROGRAM) onSpawn(answer.pid);
  return runningPeer(transport.id, child, answer, (options) => connectRpc(transport, answer.address, options));
}
