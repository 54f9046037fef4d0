import type { PeerExit } from "../../../scenarios/check.ts";
import { IpcError } from "../../../transports/contract/errors.ts";
import type { EventTransport, Transport } from "../../../transports/contract/transport.ts";
import { loadAbilities } from "../../peer/abilities.ts";
import { EventServer } from "../../peer/event-server.ts";
import { allowedCpuList } from "../../process/cpus.ts";
import { Mailbox } from "../../process/mailbox.ts";
import type { PeerStart, StreamReport } from "../../process/messages.ts";
import { connectRpc } from "../../rpc/connect.ts";
import type { RunningPeer } from "./running-peer.ts";

/** Hosts the server in this driver, for rendezvous `process`: a baseline that crosses no process boundary. */
export async function hostPeer(transport: Transport, start: PeerStart): Promise<RunningPeer> {
  const mailbox = new Mailbox<StreamReport>();
  const program = new EventServer(
    (report) => mailbox.put(report),
    transport.capabilities.maxMessageBytes,
    await loadAbilities(start),
  );
  const server = await (transport.event as EventTransport).listen(start.address, program);
  const cannotDie = async (): Promise<never> => {
    throw new IpcError("IPC_UNSUPPORTED", `${transport.id}: the server shares the driver's process`, {
      transport: transport.id,
    });
  };
  const cannotFreeze = (): never => {
    throw new IpcError("IPC_UNSUPPORTED", `${transport.id}: the server shares the driver's process`, {
      transport: transport.id,
    });
  };
  const stopped = Promise.withResolvers<PeerExit>();
  return {
    info: {
      pid: process.pid,
      address: server.address,
      language: "node",
      version: process.versions.node,
      cpus: allowedCpuList(),
    },
    address: server.address,
    connect: (options) => connectRpc(transport, server.address, options),
    streamReport: (timeoutMs) => mailbox.next(["stream-report"], timeoutMs, "peer"),
    usage: async () => null,
    publish: (request) => new Promise((resolve) => program.publish(request, resolve)),
    kill: cannotDie,
    async stop() {
      await server.close();
      const exit = { code: 0, signal: null };
      stopped.resolve(exit);
      return exit;
    },
    failure: () => undefined,
    exited: stopped.promise,
    freeze: cannotFreeze,
    thaw: cannotFreeze,
  };
}
