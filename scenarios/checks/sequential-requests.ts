import type { Check } from "../check.ts";
import { replies } from "../kit/conditions.ts";
import { expect } from "../kit/expect.ts";
import { bodyUpTo, pattern } from "../kit/messages.ts";
import { expectEcho } from "../kit/peer.ts";

const REQUESTS = 10_000;
const LEAST = 500;
const BUDGET_MS = 3000;
/** Time after which fewer than {@link LEAST} requests are enough: a slow server need not be a wrong one. */
const LONGEST_MS = 8000;
const BODY_BYTES = 64;

export const sequentialRequests: Check = {
  id: "sequential-requests",
  title: "Many sequential requests on one connection are each answered with their own reply",
  why: "A connection that drifts, leaks or mixes replies up shows it only after thousands of messages.",
  sharesPeer: true,
  typicalMs: 2000,
  needs: [replies],
  async run(context) {
    const client = await context.connect(await context.startPeer());
    const strays = client.unexpected + client.corrupted;
    const startedMs = performance.now();
    const body = pattern(bodyUpTo(BODY_BYTES, context.transport.capabilities), 1);
    let done = 0;
    for (; done < REQUESTS; done++) {
      if (performance.now() - startedMs > (done < LEAST ? LONGEST_MS : BUDGET_MS)) break;
      body.writeUInt32LE(done, 0);
      await expectEcho(`request ${done}`, client, body);
    }
    const extra = client.unexpected + client.corrupted - strays;
    expect(extra === 0, `${extra} messages came that were no reply to any of ${done} requests`);
    context.note("requests", done);
  },
};
