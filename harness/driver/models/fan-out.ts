import type { PeerPublish, StreamReport } from "../../process/messages.ts";
import { ClientGroup } from "./client-group.ts";
import { givenUp, type Model, type Site, type Window } from "./model.ts";

const REPORT_TIMEOUT_MS = 15_000;
/** Longest wait for the report of a probe, which only a subscriber that has joined sends, and without delay. */
const PROBE_TIMEOUT_MS = 300;
const MAX_PROBES = 40;

/** Stream from the server to subscriber processes. The clock runs until all of them have the last message. */
export const fanOut: Model = {
  id: "fan-out",
  async prepare(site, { clients, payloadBytes }) {
    const group = await ClientGroup.start(site, clients, () => ({
      kind: "subscribe",
      address: site.link.peer.address,
    }));
    const distribution = site.transport.capabilities.patterns.includes("fan-out") ? "transport" : "server";
    const publish = (messages: number): PeerPublish => ({ type: "publish", messages, payloadBytes, distribution });
    try {
      await probeAll(site, group, publish);
    } catch (error) {
      await group.end();
      throw error;
    }
    return { window: (count) => runWindow(site, group, publish(count), count), end: () => group.end() };
  },
};

/** Probes all subscribers. Each probe is one message longer than the one before, to recognize late reports. */
async function probeAll(site: Site, group: ClientGroup, publish: (messages: number) => PeerPublish): Promise<void> {
  for (let messages = 1; messages <= MAX_PROBES; messages++) {
    await site.link.peer.publish(publish(messages), REPORT_TIMEOUT_MS);
    if (await allReceived(group, messages)) return;
  }
  throw new Error(`not every subscriber received one of ${MAX_PROBES} probes`);
}

async function allReceived(group: ClientGroup, messages: number): Promise<boolean> {
  try {
    for (;;) {
      const reports = await group.collect("stream-report", PROBE_TIMEOUT_MS);
      if (reports.every(({ received }) => received === messages)) return true;
      if (reports.every(({ received }) => received > messages)) return false;
    }
  } catch {
    return false;
  }
}

async function runWindow(site: Site, group: ClientGroup, request: PeerPublish, count: number): Promise<Window> {
  let reports: readonly StreamReport[];
  let startedNs: bigint;
  try {
    const published = await site.link.peer.publish(request, REPORT_TIMEOUT_MS);
    if (published.problem !== undefined) return givenUp(count, published.problem);
    startedNs = BigInt(published.startedNs);
    reports = await group.collect("stream-report", REPORT_TIMEOUT_MS);
  } catch (error) {
    return givenUp(count, (error as Error).message);
  }
  const total = (pick: (report: StreamReport) => number): number => reports.reduce((sum, each) => sum + pick(each), 0);
  const last = reports.map(({ lastNs }) => BigInt(lastNs)).reduce((a, b) => (a > b ? a : b));
  return {
    messages: count,
    elapsedNs: Number(last - startedNs),
    samples: null,
    lost: total(({ received, duplicated, corrupted }) => Math.max(0, count - (received - duplicated) - corrupted)),
    duplicated: total(({ duplicated }) => duplicated),
    reordered: total(({ reordered }) => reordered),
    corrupted: total(({ corrupted }) => corrupted),
  };
}
