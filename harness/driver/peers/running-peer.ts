import type { PeerExit } from "../../../scenarios/check.ts";
import { PROGRAM } from "../../../transports/contract/capabilities.ts";
import type { IpcError } from "../../../transports/contract/errors.ts";
import type { Address, BlockingConnection, OpenOptions } from "../../../transports/contract/transport.ts";
import { rejection } from "../../process/failure.ts";
import type { Mailbox } from "../../process/mailbox.ts";
import type {
  FromPeer,
  PeerPublish,
  PeerReady,
  PeerSignal,
  Published,
  StreamReport,
  ToPeer,
  UsageReport,
} from "../../process/messages.ts";
import type { RpcClient } from "../../rpc/client.ts";

/** Server started by this driver, for every kind of rendezvous. */
export interface RunningPeer {
  readonly info: Omit<PeerReady, "type">;
  readonly address: Address;
  /** Opens a request/reply client on a connection of its own; rendezvous `parent` has exactly one. */
  connect(options?: OpenOptions): Promise<RpcClient>;
  /** The one connection to a launched peer in blocking mode. */
  readonly blocking?: BlockingConnection;
  /** Waits for the peer's report on a stream of one-way messages. @throws ControlError if none comes in time. */
  streamReport(timeoutMs: number): Promise<StreamReport>;
  /**
   * Returns the usage of the server so far; for a user's program, with all processes it has started. Null if the server
   * shares this process, or if the system does not report it. A blocking peer cannot answer while it serves.
   *
   * @param hold whether it keeps its compiler from working from now on
   */
  usage(hold?: boolean): Promise<UsageReport | null>;
  /** Sends one-way messages from the server; resolves after the last. @throws IpcError IPC_UNSUPPORTED */
  publish(request: PeerPublish, timeoutMs: number): Promise<Published>;
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<PeerExit>;
  stop(): Promise<PeerExit>;
  /** Returns a sentence about a user's program: that it died, or `what`; undefined after an orderly end. */
  account?(what: string): Promise<{ readonly text: string } | undefined>;
  /** Returns the failure that ended the server, from its last message; undefined if it runs or ended in order. */
  failure(): IpcError | undefined;
  /** Settles when the process is gone, or when a server inside this process was stopped. */
  readonly exited: Promise<PeerExit>;
  freeze(): void;
  thaw(): void;
}

export const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 7000;
export const USAGE_TIMEOUT_MS = 5000;
/** Generous, since the process asked is ours: on a busy machine it may get no CPU for seconds. */
const ACCOUNT_TIMEOUT_MS = 10_000;

/** Peer process with its control lines, whether this process or the transport has started it. */
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

/** Returns the server in a process that has reported that it is ready. */
export function runningPeer(
  transport: string,
  peer: ControlledProcess,
  { type: _type, ...info }: PeerReady,
  connect: RunningPeer["connect"],
): RunningPeer {
  const isProgram = info.language === PROGRAM;
  // A user's program is a child of the peer, and only the peer can see if its process id is still valid.
  const signal: ControlledProcess["signal"] = isProgram
    ? (name) => peer.send({ type: "signal", name: name as PeerSignal["name"] })
    : (name) => peer.signal(name);
  return {
    info,
    address: info.address,
    connect,
    streamReport: (timeoutMs) => peer.next(["stream-report"], timeoutMs),
    async usage(hold = false) {
      if (isProgram && process.platform !== "linux") return null;
      peer.send({ type: "report-usage", hold });
      return peer.next(["usage"], USAGE_TIMEOUT_MS);
    },
    publish(request, timeoutMs) {
      peer.send(request);
      return peer.next(["published"], timeoutMs);
    },
    async kill(name) {
      signal(name);
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
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    ...(isProgram ? { account: (what) => accountOf(peer, what) } : {}),
  };
}

/** Returns a sentence on the part of a user's program in a failure; undefined if it had none. */
export async function explained(transport: string, peer: RunningPeer, reason: string): Promise<string | undefined> {
  const isAbout = reason.startsWith(`${transport} `);
  const what = isAbout ? reason.slice(transport.length + 1) : `failed: ${reason}`;
  return (await peer.account?.(what))?.text;
}

async function accountOf(peer: ControlledProcess, what: string): Promise<{ readonly text: string } | undefined> {
  peer.send({ type: "report-account", what });
  const found = await peer.next(["account"], ACCOUNT_TIMEOUT_MS).catch(() => peer.mailbox.peek("failed"));
  return found?.type === "failed" ? { text: found.message } : found;
}
