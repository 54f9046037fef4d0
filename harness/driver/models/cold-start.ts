import { closeLink, openLink } from "../link.ts";
import type { RunningPeer } from "../peers/running-peer.ts";
import { CLEAN, type Model, type Site, type Window } from "./model.ts";
import { exchangeOnce, newServer, withQuietPeer } from "./new-server.ts";
import { pingPongOver } from "./ping-pong.ts";

const PHASES = ["start", "connect", "firstReply", "secondReply"] as const;

/** Starts a server, connects, and takes its first and its second verified reply. The client is warm. */
export const coldStart: Model = {
  id: "cold-start",
  prepare: (site, { payloadBytes }) => ({
    startsServers: true,
    window: (count) => withQuietPeer(site, () => runStarts(site, count, payloadBytes)),
  }),
};

async function runStarts(site: Site, count: number, payloadBytes: number): Promise<Window> {
  const samples = new Float64Array(count);
  const phases = Object.fromEntries(PHASES.map((name) => [name, new Float64Array(count)]));
  const startedNs = process.hrtime.bigint();
  let done = 0;
  let problem: string | undefined;
  try {
    for (; done < count; done++) {
      const times = await startOnce(site, payloadBytes);
      for (const [index, name] of PHASES.entries())
        (phases[name] as Float64Array)[done] = Number((times[index + 1] as bigint) - (times[index] as bigint));
      samples[done] = Number(times[3] - times[0]);
    }
  } catch (error) {
    problem = (error as Error).message;
  }
  return {
    messages: done,
    elapsedNs: Number(process.hrtime.bigint() - startedNs),
    samples: samples.subarray(0, done),
    phases,
    ...CLEAN,
    lost: count - done,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Returns the times before the start, when it listens, when connected, at the first and at the second reply. */
async function startOnce(site: Site, payloadBytes: number): Promise<readonly [bigint, bigint, bigint, bigint, bigint]> {
  const clock = process.hrtime.bigint;
  const start = await newServer(site);
  let peer: RunningPeer | undefined;
  try {
    const t0 = clock();
    peer = await start();
    const t1 = clock();
    const link = await openLink(site.transport, site.start, peer);
    const t2 = clock();
    const pingPong = pingPongOver(link, payloadBytes);
    await exchangeOnce(pingPong);
    const t3 = clock();
    await exchangeOnce(pingPong);
    const t4 = clock();
    await closeLink(link);
    return [t0, t1, t2, t3, t4];
  } finally {
    await peer?.stop();
  }
}
