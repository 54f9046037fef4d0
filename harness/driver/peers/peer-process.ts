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

const LOAD_TIMEOUT_MS = 20_000;

/** Lets a peer of ours import the code of its transport, and waits until it has. @throws Error when it does not */
export async function loadAhead(child: PeerProcess, { transport, mode }: DriverStart): Promise<void> {
  child.send({ type: "load", transport, mode });
  const answer = await child.next(["loaded", "failed"], LOAD_TIMEOUT_MS);
  if (answer.type === "failed") throw new Error(`the peer could not load ${transport.id}: ${answer.message}`);
}

/** Starts the peer before anything else is loaded, where that can be: the two processes then boot side by side. */
export function spawnEarly(start: DriverStart, onSpawn: (pid: number) => void): Promise<PeerProcess> | undefined {
  if (start.peerEarly !== true) return undefined;
  const early = spawnPeer(nodeCommand("peer/main", start.hold?.pin ?? start.peerPin), onSpawn);
  // Whoever awaits it hears of a failure; until then nobody does.
  early.catch(() => {});
  return early;
}
