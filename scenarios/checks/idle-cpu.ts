import { setTimeout as delay } from "node:timers/promises";
import { type Check, NotApplicable } from "../check.ts";
import { isWatched, replies } from "../kit/conditions.ts";
import { expect } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { usage, waitedMs } from "../kit/peer.ts";

const WATCHED_MS = 2000;
/** Limit on CPU time as a share of the time (less waits for a CPU). A sleeping loop needs some ‰, a spinning one 1. */
const SPINNING_SHARE = 0.2;

export const idleCpu: Check = {
  id: "idle-cpu",
  title: "With a client connected and nothing to do, a server that claims to sleep burns no CPU",
  why: "A busy spin is invisible in a latency table and costs a whole core per server, all night.",
  // It need not run alone, because time for which others kept the server from a CPU is left out.
  sharesPeer: true,
  typicalMs: 2000,
  needs: [replies, isWatched],
  async run(context) {
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    await client.request(pattern(16, 1));
    const used = async (): Promise<number> => {
      const seen = context.transport.program === undefined ? await usage(client) : await peer.usage();
      if (seen === null) throw new NotApplicable("this system does not show the usage of another process");
      return seen.cpuMicros;
    };
    const [before, waited] = [await used(), waitedMs(peer.pid)];
    const own = process.cpuUsage();
    const startedMs = performance.now();
    await delay(WATCHED_MS);
    const elapsedMicros = (performance.now() - startedMs) * 1000;
    const { user, system } = process.cpuUsage(own);
    const wantedMicros = elapsedMicros - (waitedMs(peer.pid) - waited) * 1000;
    const server = ((await used()) - before) / wantedMicros;
    context.note("serverIdlePercent", Math.round(server * 1000) / 10);
    context.note("clientIdlePercent", Math.round(((user + system) / elapsedMicros) * 1000) / 10);
    const mode = context.transport.capabilities.modes[0];
    // A polling server claims to use a CPU: its CPU time is a finding, not a failure.
    if (mode === "polling") return;
    const percent = Math.round(server * 100);
    expect(server < SPINNING_SHARE, `its mode is ${mode}, yet idle it burns ${percent} % of a CPU`);
  },
};
