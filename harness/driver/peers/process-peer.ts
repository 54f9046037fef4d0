import type { Transport } from "../../../transports/contract/transport.ts";
import { rejection } from "../../process/failure.ts";
import type { PeerStart } from "../../process/messages.ts";
import { connectRpc } from "../../rpc/connect.ts";
import type { PeerProcess } from "./peer-process.ts";
import { READY_TIMEOUT_MS, type RunningPeer, STOP_TIMEOUT_MS } from "./running-peer.ts";

/** Rendezvous `address`: a process of its own that listens where both sides know. */
export async function startProcessPeer(
  transport: Transport,
  child: PeerProcess,
  start: PeerStart,
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
  const { type: _type, ...info } = answer;
  return {
    info,
    address: info.address,
    connect: (options) => connectRpc(transport, info.address, options),
    streamReport: (timeoutMs) => child.next(["stream-report"], timeoutMs),
    async usage() {
      child.send({ type: "report-usage" });
      return child.next(["usage"], 5000);
    },
    publish(request, timeoutMs) {
      child.send(request);
      return child.next(["published"], timeoutMs);
    },
    async kill(signal) {
      child.signal(signal);
      return child.exited;
    },
    async stop() {
      child.send({ type: "stop" });
      return child.finish(STOP_TIMEOUT_MS);
    },
    failure() {
      const failed = child.mailbox.peek("failed");
      return failed && rejection(transport.id, failed);
    },
    exited: child.exited,
    freeze: () => child.signal("SIGSTOP"),
    thaw: () => child.signal("SIGCONT"),
  };
}
