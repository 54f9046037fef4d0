import { Child } from "../../process/child.ts";
import type { Exit } from "../../process/crash.ts";
import { peerDefect } from "../../process/message-rules.ts";
import type { FromPeer, ToPeer } from "../../process/messages.ts";

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

/**
 * Takes over a peer that was started beside this driver, so that both booted at the same time.
 *
 * @param exited resolves when whoever started it has seen its end
 */
export function takeOverPeer(pid: number, exited: Promise<Exit>, onSpawn: (pid: number) => void): PeerProcess {
  onSpawn(pid);
  return Child.takeOver("peer", pid, exited, peerDefect);
}
