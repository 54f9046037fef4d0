import { fileURLToPath } from "node:url";
import type { WaitMode } from "../../../transports/contract/capabilities.ts";
import { IpcError } from "../../../transports/contract/errors.ts";
import type { Address, Transport } from "../../../transports/contract/transport.ts";
import { runsOnNode } from "../../process/language.ts";
import type { RecordedPlace } from "../../process/load-messages.ts";
import type { PeerStart, PinPrefix, TransportReference } from "../../process/messages.ts";
import { nodeCommand } from "../../process/node-command.ts";
import { type PeerProcess, spawnPeer } from "./peer-process.ts";
import type { RunningPeer } from "./running-peer.ts";

export interface PeerSettings {
  readonly transport: Transport;
  readonly reference: TransportReference;
  readonly mode: WaitMode;
  readonly address: Address;
  readonly key?: Uint8Array;
  readonly pin: PinPrefix;
  readonly language: string;
  /** Program of the peer, see `DriverStart.peerProgram`. */
  readonly program?: string | undefined;
  /** Id of the codec behind `Method.recode`. */
  readonly codec?: string;
  readonly recorded?: RecordedPlace;
  readonly onSpawn: (pid: number) => void;
  /** Peer process that was started before and waits for its first line; its pid was reported already. */
  readonly early?: PeerProcess;
}

/** Starts the server of a transport and resolves when it listens. @throws IpcError as `EventTransport.listen` */
export async function startPeer(settings: PeerSettings): Promise<RunningPeer> {
  const { transport, reference, mode, address, key, codec, recorded, onSpawn } = settings;
  const encoded = key === undefined ? null : Buffer.from(key).toString("base64");
  const start: PeerStart = {
    type: "start",
    transport: reference,
    mode,
    address,
    key: encoded,
    ...(codec === undefined ? {} : { codec }),
    ...(recorded === undefined ? {} : { recorded }),
  };
  // Each kind is loaded only if needed, so that a driver starts sooner, and with it every trial.
  switch (transport.capabilities.rendezvous) {
    case "process":
      if (mode !== "event") return (await import("./hosted-thread.ts")).hostThread(transport, start);
      return (await import("./hosted-peer.ts")).hostPeer(transport, start);
    case "parent":
      return (await import("./launched-peer.ts")).startLaunchedPeer(transport, peerCommand(settings), start, onSpawn);
    case "address":
      return (await import("./process-peer.ts")).startProcessPeer(
        transport,
        settings.early ?? (await spawnPeer(peerCommand(settings), settings.language, onSpawn)),
        start,
        onSpawn,
      );
  }
}

function peerCommand({ language, program, transport, pin }: PeerSettings): [string, ...string[]] {
  if (runsOnNode(language)) return nodeCommand("peer/main", pin);
  const command = transport.peers?.[language];
  if (command === undefined) {
    throw new IpcError("IPC_UNSUPPORTED", `${transport.id} has no peer written in ${language}`, {
      transport: transport.id,
    });
  }
  const [found, ...rest] = command;
  const script = fileURLToPath(new URL("../../peer/python/peer.py", import.meta.url));
  return [...pin, program ?? found, ...rest.map((part) => (part === "peer.py" ? script : part))] as [
    string,
    ...string[],
  ];
}
