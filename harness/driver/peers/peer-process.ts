import { Child } from "../../process/child.ts";
import { peerDefect } from "../../process/message-rules.ts";
import type { DriverStart, FromPeer, ToPeer } from "../../process/messages.ts";
import { nodeCommand } from "../../process/node-command.ts";

/** A peer that is a process of its own, started and not yet told what to serve. */
export type PeerProcess = Child<ToPeer, FromPeer>;

/** @param language a peer that is not Node's has its control lines on stdin and stdout */
export async function spawnPeer(
  command: readonly string[],
  language: string,
  onSpawn: (pid: number) => void,
): Promise<PeerProcess> {
  const control = language === "node" ? "descriptor" : "stdio";
  const child: PeerProcess = await Child.start("peer", command, { control, defectOf: peerDefect });
  onSpawn(child.pid);
  return child;
}

/** Starts the peer before anything else is loaded, where that can be: the two processes then boot side by side. */
export function spawnEarly(start: DriverStart, onSpawn: (pid: number) => void): Promise<PeerProcess> | undefined {
  if (start.peerEarly !== true) return undefined;
  const early = spawnPeer(nodeCommand("peer/main", start.hold?.pin ?? start.peerPin), "node", onSpawn);
  // Whoever awaits it hears of a failure; until then nobody does.
  early.catch(() => {});
  return early;
}
