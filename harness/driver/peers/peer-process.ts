import { Child } from "../../process/child.ts";
import type { DriverStart, FromPeer, ToPeer } from "../../process/messages.ts";
import { nodeCommand } from "../../process/node-command.ts";

/** A peer that is a process of its own, started and not yet told what to serve. */
export type PeerProcess = Child<ToPeer, FromPeer>;

export async function spawnPeer(command: readonly string[], onSpawn: (pid: number) => void): Promise<PeerProcess> {
  const child: PeerProcess = await Child.start("peer", command);
  onSpawn(child.pid);
  return child;
}

/** Starts the peer before anything else is loaded, where that can be: the two processes then boot side by side. */
export function spawnEarly(start: DriverStart, onSpawn: (pid: number) => void): Promise<PeerProcess> | undefined {
  if (start.peerEarly !== true) return undefined;
  const early = spawnPeer(nodeCommand("peer/main", start.hold?.pin ?? start.peerPin), onSpawn);
  // Whoever awaits it hears of a failure; until then nobody does.
  early.catch(() => {});
  return early;
}
