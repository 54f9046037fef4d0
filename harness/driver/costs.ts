import { Method } from "../../scenarios/check.ts";
import { PROGRAM } from "../../transports/contract/capabilities.ts";
import { HEADER_BYTES, Kind } from "../../transports/contract/frame.ts";
import type { CellFigures } from "../process/messages.ts";
import { readUsage } from "../process/usage.ts";
import { buildFrame } from "../rpc/message.ts";
import type { Link, PeerUsage, PreparedModel, Site } from "./models/model.ts";

/** Resources that all processes of a cell have used so far. */
export interface Usages {
  readonly own: Exclude<PeerUsage, null>;
  readonly peer: PeerUsage;
  /** Sum of the further client processes. */
  readonly clients: PeerUsage;
}

/** Reads the usage just outside the window. Asking costs the peer about 10 µs, part of the figure per message. */
export async function usages(site: Site, model?: PreparedModel): Promise<Usages> {
  const { link } = site;
  const peer = link.peer.info.pid === process.pid ? null : await peerUsage(site);
  return { own: readUsage(), peer, clients: model?.usage?.() ?? null };
}

async function peerUsage({ link, transport }: Site): Promise<PeerUsage> {
  if (link.peer.info.language === PROGRAM) return link.peer.usage();
  if (link.face === "blocking") {
    const bytes = exchangeBlocking(link, Method.usage);
    return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
  }
  // Where no request can be sent, the control channel asks.
  if (!transport.capabilities.patterns.includes("request-reply")) return link.peer.usage();
  const bytes = await link.client.request(new Uint8Array(0), { method: Method.usage });
  return JSON.parse(new TextDecoder().decode(bytes));
}

const ANSWER_BYTES = 4096;

export function exchangeBlocking(link: Extract<Link, { face: "blocking" }>, method: Method): Uint8Array | null {
  const into = new Uint8Array(ANSWER_BYTES);
  if (!link.connection.send(buildFrame(Kind.request, 0, method, 0, new Uint8Array(0)), 1000)) return null;
  for (let attempt = 0; attempt < 20; attempt++) {
    const length = link.connection.receive(into, 100);
    if (length >= HEADER_BYTES) return into.slice(HEADER_BYTES, length);
  }
  return null;
}

type Costs = Pick<
  CellFigures,
  | "cpuNs"
  | "contextSwitches"
  | "voluntarySwitches"
  | "involuntarySwitches"
  | "peakMemoryBytes"
  | "peakMemory"
  | "gcPauseNs"
>;

const UNKNOWN: Costs = {
  cpuNs: null,
  contextSwitches: null,
  voluntarySwitches: null,
  involuntarySwitches: null,
  peakMemoryBytes: null,
  peakMemory: null,
  gcPauseNs: null,
};

/** Sums the costs of all processes; without the peer where it shares the driver's process or cannot report. */
export function costs(before: Usages | null, after: Usages | null): Costs {
  if (before === null || after === null) return UNKNOWN;
  const pairs = [
    [before.own, after.own],
    [before.peer, after.peer],
    [before.clients, after.clients],
  ] as const;
  const spent = (pick: (usage: Exclude<PeerUsage, null>) => number): number =>
    pairs.reduce((sum, [first, last]) => (first === null || last === null ? sum : sum + pick(last) - pick(first)), 0);
  const voluntary = spent((usage) => usage.voluntarySwitches);
  const involuntary = spent((usage) => usage.involuntarySwitches);
  const driverMemory = after.own.peakMemoryBytes + (after.clients?.peakMemoryBytes ?? 0);
  return {
    cpuNs: spent((usage) => usage.cpuMicros) * 1000,
    contextSwitches: voluntary + involuntary,
    voluntarySwitches: voluntary,
    involuntarySwitches: involuntary,
    peakMemoryBytes: driverMemory + (after.peer?.peakMemoryBytes ?? 0),
    peakMemory: { driver: driverMemory, peer: after.peer?.peakMemoryBytes ?? null },
    gcPauseNs: spent((usage) => usage.gcPauseNs),
  };
}
