import { type Check, NotApplicable } from "../check.ts";
import { hasAddress, isWatched, replies } from "../kit/conditions.ts";
import { eventually, expect } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { expectEcho, resourcesOf, statistics } from "../kit/peer.ts";

const ROUNDS = 50;
const WARM_ROUNDS = 3;
/** Number of descriptors that a runtime may open on its own; a leak of one per round would be far more. */
const ALLOWED = 10;

export const connectionChurn: Check = {
  id: "connection-churn",
  title: "Clients that come and go cost the server no descriptor and no thread",
  why: "A descriptor lost per connection ends the server after a thousand clients, days after it was started.",
  sharesPeer: true,
  typicalMs: 700,
  timeoutMs: 60_000,
  needs: [replies, hasAddress, isWatched],
  async run(context) {
    const peer = await context.startPeer();
    const visit = async (round: number) => {
      const client = await context.connect(peer);
      await expectEcho(`round ${round}`, client, pattern(32, round));
      const seen = context.transport.program === undefined ? await statistics(client) : resourcesOf(peer.pid);
      await client.close();
      return seen ?? { descriptors: -1, threads: -1 };
    };
    for (let round = 0; round < WARM_ROUNDS; round++) await visit(round);
    const before = await visit(0);
    if (before.descriptors < 0) throw new NotApplicable("this system does not report the number of open descriptors");
    for (let round = 0; round < ROUNDS; round++) await visit(round);
    let after = await visit(0);
    await eventually(
      `the server gives back what ${ROUNDS} clients took`,
      async () => {
        after = await visit(0);
        return after.descriptors - before.descriptors < ALLOWED;
      },
      2000,
    ).catch(() => undefined);
    const leaked = after.descriptors - before.descriptors;
    expect(leaked < ALLOWED, `${leaked} descriptors stay open in the server after ${ROUNDS} clients`);
    const threads = after.threads - before.threads;
    expect(threads < ALLOWED, `${threads} threads stay in the server after ${ROUNDS} clients`);
    context.note("rounds", ROUNDS);
    context.note("descriptorsLeft", leaked);
  },
};
