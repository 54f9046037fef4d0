import type { Transport } from "../../../transports/contract/transport.ts";
import { rejection } from "../../process/failure.ts";
import { peerDefect } from "../../process/message-rules.ts";
import type { FromPeer, PeerStart, ToPeer } from "../../process/messages.ts";
import { RpcClient } from "../../rpc/client.ts";
import { LaunchedProcess } from "./launched-process.ts";
import { READY_TIMEOUT_MS, type RunningPeer, STOP_TIMEOUT_MS } from "./running-peer.ts";

/** Rendezvous `parent`: the transport starts the process and is the one connection to it. */
export async function startLaunchedPeer(
  transport: Transport,
  command: readonly [string, ...string[]],
  start: PeerStart,
  onSpawn: (pid: number) => void,
): Promise<RunningPeer> {
  const client = new RpcClient(transport.capabilities.maxInFlight);
  const peer = await LaunchedProcess.launch<ToPeer, FromPeer>("peer", transport, command, client, peerDefect);
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
  const { type: _type, ...info } = answer;
  return {
    info,
    address: info.address,
    connect: async () => client,
    streamReport: (timeoutMs) => peer.next(["stream-report"], timeoutMs),
    async usage() {
      peer.send({ type: "report-usage" });
      return peer.next(["usage"], 5000);
    },
    publish(request, timeoutMs) {
      peer.send(request);
      return peer.next(["published"], timeoutMs);
    },
    async kill(name) {
      peer.signal(name);
      return peer.exited;
    },
    async stop() {
      peer.send({ type: "stop" });
      const timer = setTimeout(() => peer.signal("SIGKILL"), STOP_TIMEOUT_MS);
      const exit = await peer.exited;
      clearTimeout(timer);
      return exit;
    },
    failure() {
      const failed = peer.mailbox.peek("failed");
      return failed && rejection(transport.id, failed);
    },
    exited: peer.exited,
    freeze: () => peer.signal("SIGSTOP"),
    thaw: () => peer.signal("SIGCONT"),
  };
}
