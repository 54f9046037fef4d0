import assert from "node:assert/strict";
import { type Check, type CheckClient, Method, type ServerStatistics } from "../../transports/contract/check.ts";

const CLIENTS = 8;
const PROCESSES = 2;
const REQUESTS_EACH = 100;
const BODY_BYTES = 256;

export const concurrentClients: Check = {
  id: "concurrent-clients",
  title: `${CLIENTS} clients of several processes are served at once, and no reply reaches the wrong one`,
  why: "Replies that cross between clients corrupt data silently; a thread or descriptor per client explodes under load.",
  quick: true,
  timeoutMs: 30_000,
  appliesTo({ maxClients, patterns, rendezvous }) {
    if (!patterns.includes("request-reply")) return "this pattern has no replies";
    if (rendezvous !== "address") return "one peer belongs to one client here: nobody else can reach it";
    return maxClients > 1 || `serves at most ${maxClients} client`;
  },
  async run(context) {
    const clients = Math.min(CLIENTS, context.transport.capabilities.maxClients - 1);
    const processes = Math.min(PROCESSES, clients);
    const connectionsEach = Math.floor(clients / processes);
    const peer = await context.startPeer();
    const observer = await context.connect(peer);
    const before = await statistics(observer);
    const load = { processes, connectionsEach, requestsEach: REQUESTS_EACH, bodyBytes: BODY_BYTES };
    const results = await context.runClients(peer, load);
    const after = await statistics(observer);
    const total = (pick: "completed" | "crossed" | "failed"): number =>
      results.reduce((sum, result) => sum + result[pick], 0);
    assert.equal(total("crossed"), 0, `${total("crossed")} replies reached the wrong request`);
    const firstError = results.find((result) => result.firstError !== undefined)?.firstError;
    assert.equal(total("failed"), 0, `${total("failed")} requests failed, the first with: ${firstError}`);
    assert.equal(total("completed"), processes * connectionsEach * REQUESTS_EACH, "not every request was answered");
    context.note("clients", processes * connectionsEach);
    context.note("requests", total("completed"));
    context.note("threadsAdded", after.threads - before.threads);
    context.note("descriptorsLeft", after.descriptors - before.descriptors);
  },
};

async function statistics(client: CheckClient): Promise<ServerStatistics> {
  const reply = await client.request(new Uint8Array(0), { method: Method.statistics });
  return JSON.parse(new TextDecoder().decode(reply));
}
