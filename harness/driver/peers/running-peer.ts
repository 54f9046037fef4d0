import type { PeerExit } from "../../../scenarios/check.ts";
import { PROGRAM } from "../../../transports/contract/capabilities.ts";
import type { IpcError } from "../../../transports/contract/errors.ts";
import type { Address, OpenOptions } from "../../../transports/contract/transport.ts";
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

/** Server started by this driver, however its transport brings the two together. */
export interface RunningPeer {
  readonly info: Omit<PeerReady, "type">;
  readonly address: Address;
  /** Opens a request/reply client on a connection of its own; rendezvous `parent` has exactly one. */
  connect(options?: OpenOptions): Promise<RpcClient>;
  /** Waits for the peer's counts of a stream of one-way messages. @throws ControlError when none comes in time. */
  streamReport(timeoutMs: number): Promise<StreamReport>;
  /**
   * Returns the usage of the server so far, of a program of the user's with all it has started; null when it shares
   * this process, and where the system does not report it. Blocking peers serve and cannot be asked.
   *
   * @param hold whether it keeps its compiler from working from now on
   */
  usage(hold?: boolean): Promise<UsageReport | null>;
  /** Sends one-way messages from the server; resolves after the last. @throws IpcError IPC_UNSUPPORTED */
  publish(request: PeerPublish, timeoutMs: number): Promise<Published>;
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<PeerExit>;
  stop(): Promise<PeerExit>;
  /** Returns one sentence about a user's program: it died, or `what`; undefined after an orderly end. */
  account?(what: string): Promise<{ readonly text: string } | undefined>;
  /** Returns the failure that ended it, from its last message; undefined while it runs and after an orderly end. */
  failure(): IpcError | undefined;
  /** Settles when the process is gone; for a server inside this process, when it was stopped. */
  readonly exited: Promise<PeerExit>;
  freeze(): void;
  thaw(): void;
}

export const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 7000;
const USAGE_TIMEOUT_MS = 5000;
const ACCOUNT_TIMEOUT_MS = 2000;

/** Peer process with its control lines, whichever side has started it. */
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

/** Returns the server in a process that has reported it is ready. */
export function runningPeer(
  transport: string,
  peer: ControlledProcess,
  { type: _type, ...info }: PeerReady,
  connect: RunningPeer["connect"],
): RunningPeer {
  const isProgram = info.language === PROGRAM;
  // The process of a program is a child of the peer, which sees whether the number is still that of its child.
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

/** Returns one sentence on the part of a user's program in a failure; undefined where it has none. */
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
