import { Method } from "../../scenarios/check.ts";
import { PROGRAM } from "../../transports/contract/capabilities.ts";
import { HEADER_BYTES, Kind } from "../../transports/contract/frame.ts";
import { holdCompiler } from "../process/compiler-hold.ts";
import type { CellFigures } from "../process/messages.ts";
import { readUsage } from "../process/usage.ts";
import { buildFrame } from "../rpc/message.ts";
import type { Link, PeerUsage, PreparedModel, Site } from "./models/model.ts";
import type { ForeignSite } from "./peers/python-client.ts";

/** Resources that all processes of a cell have used so far. */
export interface Usages {
  readonly own: Exclude<PeerUsage, null>;
  readonly peer: PeerUsage;
  /** Sum over the client processes beside the driver. */
  readonly clients: PeerUsage;
}

/** Usage around a window. It is read twice before the window: the difference is the cost of one reading. */
export interface Bracket {
  readonly first: Usages;
  readonly before: Usages;
  readonly after: Usages;
}

/**
 * Reads the usage just outside the window.
 *
 * @param hold whether both processes keep their compiler from working from now on, until the next reading
 */
export async function usages(site: Site | ForeignSite, model?: PreparedModel, hold = false): Promise<Usages> {
  const { link } = site;
  // The driver only waits meanwhile, and is no part of the cell.
  if (isForeign(site)) {
    const { own, server } = await site.link.client.usages(hold, asksByRequest(site));
    return { own, peer: server ?? (await link.peer.usage(hold)), clients: null };
  }
  const peer = link.peer.info.pid === process.pid ? null : await peerUsage(site, hold);
  holdCompiler(hold);
  return { own: readUsage(), peer, clients: model?.usage?.() ?? null };
}

export function isForeign(site: Site | ForeignSite): site is ForeignSite {
  return site.link.face === "foreign";
}

/** Returns whether the usage of the server is requested as any message; otherwise over the control channel. */
function asksByRequest({ transport }: Pick<Site, "transport">): boolean {
  return transport.capabilities.patterns.includes("request-reply");
}

async function peerUsage({ link, transport }: Site, hold: boolean): Promise<PeerUsage> {
  if (link.peer.info.language === PROGRAM) return link.peer.usage(hold);
  const body = Uint8Array.of(hold ? 1 : 0);
  if (link.face === "blocking") {
    const bytes = exchangeBlocking(link, Method.usage, body);
    return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
  }
  if (!asksByRequest({ transport })) return link.peer.usage(hold);
  const bytes = await link.client.request(body, { method: Method.usage });
  return JSON.parse(new TextDecoder().decode(bytes));
}

const ANSWER_BYTES = 4096;

export function exchangeBlocking(
  link: Extract<Link, { face: "blocking" }>,
  method: Method,
  body = new Uint8Array(0),
): Uint8Array | null {
  const into = new Uint8Array(ANSWER_BYTES);
  if (!link.connection.send(buildFrame(Kind.request, 0, method, 0, body), 1000)) return null;
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

/**
 * Sums the costs of all processes; without the peer if it shares the driver's process or cannot report. The cost of a
 * reading is subtracted, since it takes up to a millisecond, a large part of a short window.
 */
export function costs(bracket: Bracket | null): Costs {
  if (bracket === null) return UNKNOWN;
  const { first, before, after } = bracket;
  type Of = (usage: Exclude<PeerUsage, null>) => number;
  const between = (a: Usages, b: Usages, pick: Of): number =>
    (["own", "peer", "clients"] as const).reduce((sum, who) => {
      const [from, to] = [a[who], b[who]];
      return from === null || to === null ? sum : sum + pick(to) - pick(from);
    }, 0);
  const spent = (pick: Of): number =>
    Math.max(0, between(before, after, pick) - Math.max(0, between(first, before, pick)));
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
    gcPauseNs: between(before, after, (usage) => usage.gcPauseNs),
  };
}
