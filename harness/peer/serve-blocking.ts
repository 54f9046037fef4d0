import { IpcError } from "../../transports/contract/errors.ts";
import type { Address, BlockingConnection } from "../../transports/contract/transport.ts";
import { loadTransport } from "../process/load-transport.ts";
import type { PeerStart, StreamReport } from "../process/messages.ts";
import { loadAbilities } from "./abilities.ts";

/** Ways in which a server that blocks its thread reaches the process or thread that started it. */
export interface BlockingHooks {
  readonly onStream: (report: StreamReport) => void;
  /** Returns, without waiting, `true` if it must end, and undefined if only events can show it. */
  readonly stopAsked: () => boolean | undefined;
  /** Lets events happen, and resolves with `true` if it must end. Needed where `stopAsked` returns undefined. */
  readonly stoppedByEvents?: () => Promise<boolean>;
  /** Reports that it listens; the loop begins when this has resolved. */
  readonly onReady: (address: Address) => Promise<void> | void;
}

/** Returns the key of a server, from its control line. */
export function keyOf({ key }: PeerStart): { key?: Uint8Array } {
  return key === null ? {} : { key: Buffer.from(key, "base64") };
}

/** Serves in blocking mode until it must end. @throws IpcError as `BlockingTransport.listen` */
export async function serveBlocking(start: PeerStart, hooks: BlockingHooks): Promise<void> {
  const transport = await loadTransport(start.transport);
  if (transport.blocking === undefined) throw new IpcError("IPC_UNSUPPORTED", `${transport.id} has no blocking face`);
  const { BlockingEchoServer } = await import("./blocking-server.ts");
  const abilities = await loadAbilities<BlockingConnection>(start);
  const server = transport.blocking.listen(start.address, keyOf(start));
  const program = new BlockingEchoServer(server, transport.capabilities.maxMessageBytes, hooks, abilities);
  await hooks.onReady(server.address);
  try {
    while (!program.serve() && !(await hooks.stoppedByEvents?.()));
  } finally {
    server[Symbol.dispose]();
  }
}
