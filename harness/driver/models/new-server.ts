/** Starts servers besides the one of the trial, for models that are about starting. */
import { allowedCpuListOfThreads } from "../../process/cpus.ts";
import { allocate } from "../../process/journal.ts";
import type { PinPrefix } from "../../process/messages.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { startPeer } from "../peers/start-peer.ts";
import type { PreparedModel, Site } from "./model.ts";

/** Returns a function that starts a server as the trial's own was, on the same CPUs, at a new address. */
export async function newServer(site: Site): Promise<() => Promise<RunningPeer>> {
  const { transport, start, onSpawn } = site;
  const address = await allocate(transport, start.transport, start.place);
  const pin = pinOfPeer(site);
  return () =>
    startPeer({
      transport,
      reference: start.transport,
      mode: start.mode,
      address,
      pin,
      language: start.peerLanguage,
      program: start.peerProgram,
      onSpawn,
    });
}

/** Returns the CPUs of the trial's server as they are now, since it may have been moved; a child inherits ours. */
function pinOfPeer({ link }: Site): PinPrefix {
  const cpus = allowedCpuListOfThreads(link.peer.info.pid);
  return cpus === null || cpus === allowedCpuListOfThreads(process.pid) ? [] : ["taskset", "-c", cpus];
}

/** Sends one request and verifies its reply. @throws Error with what went wrong */
export async function exchangeOnce(pingPong: PreparedModel): Promise<void> {
  const { problem, lost, corrupted, duplicated } = await pingPong.window(1);
  if (problem !== undefined) throw new Error(problem);
  if (lost + corrupted + duplicated > 0) throw new Error("a reply was lost, damaged or doubled");
}

/** Stops the trial's own server while others are started, where it would use their CPU. */
export async function withQuietPeer<Result>({ link, start }: Site, work: () => Promise<Result>): Promise<Result> {
  if (start.mode !== "polling") return work();
  link.peer.freeze();
  try {
    return await work();
  } finally {
    link.peer.thaw();
  }
}
