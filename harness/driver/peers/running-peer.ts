import type { PeerExit } from "../../../scenarios/check.ts";
import type { IpcError } from "../../../transports/contract/errors.ts";
import type { Address, OpenOptions } from "../../../transports/contract/transport.ts";
import { rejection } from "../../process/failure.ts";
import type { Mailbox } from "../../process/mailbox.ts";
import type {
  FromPeer,
  PeerPublish,
  PeerReady,
  Published,
  StreamReport,
  ToPeer,
  UsageReport,
} from "../../process/messages.ts";
import type { RpcClient } from "../../rpc/client.ts";

/** A server started by this driver, however its transport brings the two together. */
export interface RunningPeer {
  readonly info: Omit<PeerReady, "type">;
  readonly address: Address;
  /** A request/reply client on a connection of its own; rendezvous `parent` has exactly one. */
  connect(options?: OpenOptions): Promise<RpcClient>;
  /** What the peer counted of a stream of one-way messages. @throws ControlError when none comes in time. */
  streamReport(timeoutMs: number): Promise<StreamReport>;
  /** What the peer process used so far; null when it shares this process. Not for blocking peers: they serve, and hear nothing. */
  usage(): Promise<UsageReport | null>;
  /** Lets the server send one-way messages to its clients; resolves when it has handed over the last. @throws IpcError IPC_UNSUPPORTED */
  publish(request: PeerPublish, timeoutMs: number): Promise<Published>;
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<PeerExit>;
  stop(): Promise<PeerExit>;
  /** What ended it, by its own last message; undefined while it runs and after an orderly end. */
  failure(): IpcError | undefined;
  /** Settles when the process is gone; for a server inside this process, when it was stopped. */
  readonly exited: Promise<PeerExit>;
  freeze(): void;
  thaw(): void;
}

export const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 7000;
const USAGE_TIMEOUT_MS = 5000;

/** A peer process with its control lines, whoever has started it. */
export interface ControlledProcess {
  readonly mailbox: Mailbox<FromPeer>;
  readonly exited: Promise<PeerExit>;
  send(message: ToPeer): void;
  next<Type extends FromPeer["type"]>(
    types: readonly Type[],
    timeoutMs: number,
  ): Promise<Extract<FromPeer, { type: Type }>>;
  signal(name: NodeJS.Signals): void;
  finish(timeoutMs: number): Promise<PeerExit>;
}

/** The server in a process of its own that has said it is ready. */
export function runningPeer(
  transport: string,
  peer: ControlledProcess,
  { type: _type, ...info }: PeerReady,
  connect: RunningPeer["connect"],
): RunningPeer {
  return {
    info,
    address: info.address,
    connect,
    streamReport: (timeoutMs) => peer.next(["stream-report"], timeoutMs),
    async usage() {
      peer.send({ type: "report-usage" });
      return peer.next(["usage"], USAGE_TIMEOUT_MS);
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
      return peer.finish(STOP_TIMEOUT_MS);
    },
    failure() {
      const failed = peer.mailbox.peek("failed");
      return failed && rejection(transport, failed);
    },
    exited: peer.exited,
    freeze: () => peer.signal("SIGSTOP"),
    thaw: () => peer.signal("SIGCONT"),
  };
}
