import type { PeerExit } from "../../../transports/contract/check.ts";
import type { IpcError } from "../../../transports/contract/errors.ts";
import type { Address, OpenOptions } from "../../../transports/contract/transport.ts";
import type { PeerPublish, PeerReady, Published, StreamReport, UsageReport } from "../../process/messages.ts";
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
export const STOP_TIMEOUT_MS = 7000;
