import { Child } from "../../process/child.ts";
import type { Exit } from "../../process/crash.ts";
import { runsOnNode } from "../../process/language.ts";
import { peerDefect } from "../../process/message-rules.ts";
import type { FromPeer, ToPeer } from "../../process/messages.ts";

/** Peer in a process of its own, which has no server yet. */
export type PeerProcess = Child<ToPeer, FromPeer>;

/** Starts a peer. @param language of the peer; other languages than Node use stdin and stdout for control lines */
export async function spawnPeer(
  command: readonly string[],
  language: string,
  onSpawn: (pid: number) => void,
): Promise<PeerProcess> {
  const control = runsOnNode(language) ? "descriptor" : "stdio";
  const child: PeerProcess = await Child.start("peer", command, { control, defectOf: peerDefect });
  onSpawn(child.pid);
  return child;
}

/**
 * Takes over a peer that was started together with this driver, so that both booted at the same time.
 *
 * @param exited resolves when its starter has reaped it
 */
export function takeOverPeer(pid: number, exited: Promise<Exit>, onSpawn: (pid: number) => void): PeerProcess {
  onSpawn(pid);
  return Child.takeOver("peer", pid, exited, peerDefect);
}
