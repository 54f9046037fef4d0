import type { Check, Condition } from "../check.ts";
import { hasAddress, repliesOrPublishes } from "../kit/conditions.ts";
import { expectCode, expectSame, patience, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { expectServes, firstUse } from "../kit/peer.ts";

const APPLIES: readonly Condition[] = [repliesOrPublishes, hasAddress];

export const restart: readonly Check[] = [
  {
    id: "restart/after-kill",
    title: "After its server was killed, an address serves again without a manual clean-up",
    why: "A stale path, name or segment that blocks the restart turns a crash into an outage.",
    typicalMs: 400,
    needs: APPLIES,
    async run(context) {
      const first = await context.startPeer();
      await expectServes(context, first, "the first server");
      await first.kill("SIGKILL");
      context.note("leftByTheKill", (await context.residue(first.address)).length);
      await expectServes(context, await context.startPeer({ address: first.address }), "its successor");
    },
  },
  {
    id: "restart/after-stop",
    title: "After an orderly stop the same address serves again at once",
    why: "A port in TIME_WAIT or a name that lingers makes every deployment wait.",
    typicalMs: 500,
    needs: APPLIES,
    async run(context) {
      const first = await context.startPeer();
      await expectServes(context, first, "the first server");
      await within("the end of the first server", first.stop());
      await expectServes(context, await context.startPeer({ address: first.address }), "its successor");
    },
  },
  {
    id: "restart/live-server",
    title: "A server that is alive keeps its address and its clients when another process starts there",
    why: "A second start by mistake must fail, not take the clients of the first.",
    sharesPeer: true,
    typicalMs: 200,
    needs: APPLIES,
    async run(context) {
      const first = await context.startPeer();
      const client = await firstUse(context, first);
      const second = context.startPeer({ address: first.address });
      const limitMs = 2 * patience.ms;
      await expectCode("a second server at a live address", ["IPC_ADDRESS_IN_USE"], () => second, limitMs);
      if (client !== undefined) {
        const reply = await within("a reply to the first server's client", client.request(pattern(20, 2)));
        expectSame("a reply to the first server's client", reply, pattern(20, 2));
        await client.close();
      }
      await expectServes(context, first, "the first server");
    },
  },
];
