import type { Check, CheckContext } from "../check.ts";
import { hasAddress, isWatched, replies } from "../kit/conditions.ts";
import { eventually, expect } from "../kit/expect.ts";
import { bodyUpTo } from "../kit/messages.ts";
import { type Resources, resourcesOf, statistics } from "../kit/peer.ts";

const BODY_BYTES = 256;

interface Load {
  readonly clients: number;
  readonly processes: number;
  readonly requestsEach: number;
}

export const concurrentClients: readonly Check[] = [
  concurrent({ clients: 1, processes: 1, requestsEach: 200 }, { typicalMs: 425 }),
  concurrent({ clients: 8, processes: 2, requestsEach: 100 }, { quick: true, typicalMs: 650 }),
  concurrent({ clients: 64, processes: 4, requestsEach: 20 }, { typicalMs: 1100 }),
];

function concurrent(load: Load, options: Pick<Check, "quick" | "typicalMs">): Check {
  const { clients, processes } = load;
  const who = `${clients} client${clients === 1 ? "" : "s"}`;
  const where = processes === 1 ? "another process is" : `${processes} processes are`;
  return {
    ...options,
    id: `concurrent-clients/${clients}`,
    title: `${who} in ${where} served at once, and no reply reaches the wrong one`,
    why: "Crossed replies corrupt data silently; a thread or descriptor per client explodes under load.",
    sharesPeer: true,
    timeoutMs: 60_000,
    needs: [
      replies,
      hasAddress,
      isWatched,
      ({ maxClients }) =>
        maxClients >= clients || `serves at most ${maxClients === 1 ? "one client" : `${maxClients} clients`}`,
    ],
    run: (context) => serveMany(context, load),
  };
}

async function serveMany(context: CheckContext, { clients, processes, requestsEach }: Load): Promise<void> {
  const peer = await context.startPeer();
  const look = async () => {
    // Only the program itself could report its number of clients.
    if (context.transport.program !== undefined)
      return { clients: 0, descriptors: resourcesOf(peer.pid)?.descriptors ?? -1 };
    // It is closed again, because it counts against `maxClients`.
    const observer = await context.connect(peer);
    const seen = await statistics(observer);
    await observer.close();
    return seen;
  };
  const before = await look();
  const connectionsEach = clients / processes;
  const alone = resourcesOf(peer.pid);
  let crowded: Resources | undefined;
  const load = {
    processes,
    connectionsEach,
    requestsEach,
    bodyBytes: bodyUpTo(BODY_BYTES, context.transport.capabilities),
  };
  const results = await context.runClients(peer, load, () => {
    crowded = resourcesOf(peer.pid);
  });
  const total = (name: "completed" | "crossed" | "failed"): number =>
    results.reduce((sum, result) => sum + result[name], 0);
  expect(total("crossed") === 0, `${total("crossed")} replies reached the wrong request`);
  const firstError = results.find((result) => result.firstError !== undefined)?.firstError;
  expect(total("failed") === 0, `${total("failed")} requests failed, the first with: ${firstError}`);
  expect(total("completed") === clients * requestsEach, "not every request was answered");
  let after = await look();
  await eventually("the server forgets clients that left", async () => {
    after = await look();
    return after.clients <= before.clients;
  });
  context.note("clients", clients);
  context.note("requests", total("completed"));
  if (alone !== undefined && crowded !== undefined) {
    context.note("threadsAdded", crowded.threads - alone.threads);
    context.note("descriptorsAdded", crowded.descriptors - alone.descriptors);
  }
  context.note("descriptorsLeft", after.descriptors - before.descriptors);
}
