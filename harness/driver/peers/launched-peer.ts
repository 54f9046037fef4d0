import type { BlockingConnection, LaunchedPeer, Transport } from "../../../transports/contract/transport.ts";
import { CONTROL_ARGS } from "../../process/control-fd.ts";
import { rejection } from "../../process/failure.ts";
import { peerDefect } from "../../process/message-rules.ts";
import type { FromPeer, PeerStart, ToPeer } from "../../process/messages.ts";
import { RpcClient } from "../../rpc/client.ts";
import { LaunchedProcess } from "./launched-process.ts";
import { READY_TIMEOUT_MS, type RunningPeer, runningPeer } from "./running-peer.ts";

/** Starts the peer through its transport, for rendezvous `parent`. There is only the connection that this opens. */
export async function startLaunchedPeer(
  transport: Transport,
  command: readonly [string, ...string[]],
  start: PeerStart,
  onSpawn: (pid: number) => void,
): Promise<RunningPeer> {
  const client = new RpcClient(transport.capabilities.maxInFlight);
  const launched = start.mode === "event" ? undefined : await launchBlocking(transport, command);
  const peer =
    launched === undefined
      ? await LaunchedProcess.launch<ToPeer, FromPeer>("peer", transport, command, client, peerDefect)
      : new LaunchedProcess<ToPeer, FromPeer>("peer", launched, peerDefect);
  onSpawn(peer.pid);
  peer.send(start);
  const answer = await peer.next(["ready", "failed"], READY_TIMEOUT_MS).catch((error: unknown) => {
    peer.signal("SIGKILL");
    throw error;
  });
  if (answer.type === "failed") {
    peer.signal("SIGKILL");
    throw rejection(transport.id, answer);
  }
  const running = runningPeer(transport.id, peer, answer, async () => client);
  return launched === undefined ? running : { ...running, blocking: launched.connection };
}

async function launchBlocking(
  { id, blocking }: Transport,
  command: readonly [string, ...string[]],
): Promise<LaunchedPeer<BlockingConnection>> {
  if (blocking?.launch === undefined) throw new Error(`${id} launches no peer in blocking mode`);
  return blocking.launch([...command, ...CONTROL_ARGS]);
}
