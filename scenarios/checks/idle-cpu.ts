import { setTimeout as delay } from "node:timers/promises";
import type { Check } from "../check.ts";
import { replies, tellsStatistics } from "../kit/conditions.ts";
import { expect } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { usage } from "../kit/peer.ts";

const WATCHED_MS = 2000;
/** Of one CPU. A loop that sleeps takes some promille; one that spins takes all it gets, which beside others is less than all. */
const SPINNING_SHARE = 0.2;

export const idleCpu: Check = {
  id: "idle-cpu",
  title: "With a client connected and nothing to do, a server that claims to sleep burns no CPU",
  why: "A busy spin is invisible in a latency table and costs a whole core per server, all night.",
  // Not alone: what a process uses is counted for it, whoever else is running.
  sharesPeer: true,
  typicalMs: 2000,
  needs: [replies, tellsStatistics],
  async run(context) {
    const client = await context.connect(await context.startPeer());
    await client.request(pattern(16, 1));
    const before = await usage(client);
    const own = process.cpuUsage();
    const startedMs = performance.now();
    await delay(WATCHED_MS);
    const elapsedMicros = (performance.now() - startedMs) * 1000;
    const { user, system } = process.cpuUsage(own);
    const after = await usage(client);
    const server = (after.cpuMicros - before.cpuMicros) / elapsedMicros;
    context.note("serverIdlePercent", Math.round(server * 1000) / 10);
    context.note("clientIdlePercent", Math.round(((user + system) / elapsedMicros) * 1000) / 10);
    const mode = context.transport.capabilities.modes[0];
    // A polling server says so, and is compared with its own kind: what it burns is a finding, not a failure.
    if (mode === "polling") return;
    const percent = Math.round(server * 100);
    expect(server < SPINNING_SHARE, `its mode is ${mode}, yet idle it burns ${percent} % of a CPU`);
  },
};
