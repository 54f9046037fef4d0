import type { ConnectionHandler, EventTransport, Transport } from "../../../transports/contract/transport.ts";
import { CONTROL_ARGS } from "../../process/control-fd.ts";
import { noteExit } from "../../process/crash.ts";
import { rejection } from "../../process/failure.ts";
import { readLines, writeLine } from "../../process/lines.ts";
import { Mailbox } from "../../process/mailbox.ts";
import { peerDefect } from "../../process/message-rules.ts";
import type { FromPeer, PeerStart, ToPeer } from "../../process/messages.ts";
import { RpcClient } from "../../rpc/client.ts";
import { READY_TIMEOUT_MS, type RunningPeer, STOP_TIMEOUT_MS } from "./running-peer.ts";

/** Rendezvous `parent`: the transport starts the process and is the one connection to it; control lines use descriptor 3. */
export async function startLaunchedPeer(
  transport: Transport,
  command: readonly [string, ...string[]],
  start: PeerStart,
  onSpawn: (pid: number) => void,
): Promise<RunningPeer> {
  const client = new RpcClient(transport.capabilities.maxInFlight);
  const { launch } = transport.event as EventTransport & { launch: NonNullable<EventTransport["launch"]> };
  const handler: ConnectionHandler = client;
  const launched = await launch([...command, ...CONTROL_ARGS], handler);
  onSpawn(launched.pid);
  void launched.exited.then(({ signal }) => noteExit("peer", signal));
  let running = true;
  void launched.exited.then(() => {
    running = false;
  });
  const signal = (name: NodeJS.Signals): void => {
    // Its number may be another's once it has been reaped.
    if (running) process.kill(launched.pid, name);
  };
  const mailbox = new Mailbox<FromPeer>();
  const ended = (): void => mailbox.end(() => "the peer process ended");
  const receive = (value: unknown): void => {
    const defect = peerDefect(value);
    if (defect === undefined) mailbox.put(value as FromPeer);
    else mailbox.end(() => `the peer process sent a message that is none: ${defect}`);
  };
  readLines(launched.control, receive, ended);
  const send = (message: ToPeer): void => writeLine(launched.control, message);
  send(start);
  const answer = await mailbox.next(["ready", "failed"], READY_TIMEOUT_MS, "peer").catch((error: unknown) => {
    signal("SIGKILL");
    throw error;
  });
  if (answer.type === "failed") {
    signal("SIGKILL");
    throw rejection(transport.id, answer);
  }
  const { type: _type, ...info } = answer;
  return {
    info,
    address: info.address,
    connect: async () => client,
    streamReport: (timeoutMs) => mailbox.next(["stream-report"], timeoutMs, "peer"),
    async usage() {
      send({ type: "report-usage" });
      return mailbox.next(["usage"], 5000, "peer");
    },
    publish(request, timeoutMs) {
      send(request);
      return mailbox.next(["published"], timeoutMs, "peer");
    },
    async kill(name) {
      signal(name);
      return launched.exited;
    },
    async stop() {
      send({ type: "stop" });
      const timer = setTimeout(() => signal("SIGKILL"), STOP_TIMEOUT_MS);
      const exit = await launched.exited;
      clearTimeout(timer);
      return exit;
    },
    failure() {
      const failed = mailbox.peek("failed");
      return failed && rejection(transport.id, failed);
    },
    exited: launched.exited,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
  };
}
