import assert from "node:assert/strict";
import type { Check } from "../check.ts";
import {
  assertSame,
  assertServes,
  codeOf,
  firstUse,
  hasAddress,
  needs,
  PATIENCE_MS,
  pattern,
  repliesOrPublishes,
  within,
} from "./support.ts";

const applies = needs(repliesOrPublishes, hasAddress);

export const restart: readonly Check[] = [
  {
    id: "restart/after-kill",
    title: "After its server was killed, an address serves again without anybody clearing up",
    why: "A stale path, name or segment that blocks the restart turns a crash into an outage.",
    typicalMs: 400,
    appliesTo: applies,
    async run(context) {
      const first = await context.startPeer();
      await assertServes(context, first, "the first server");
      await first.kill("SIGKILL");
      context.note("leftByTheKill", (await context.residue(first.address)).length);
      await assertServes(context, await context.startPeer({ address: first.address }), "its successor");
    },
  },
  {
    id: "restart/after-stop",
    title: "After an orderly stop the same address serves again at once",
    why: "A port in TIME_WAIT or a name that lingers makes every deployment wait.",
    typicalMs: 500,
    appliesTo: applies,
    async run(context) {
      const first = await context.startPeer();
      await assertServes(context, first, "the first server");
      await within("the end of the first server", first.stop());
      await assertServes(context, await context.startPeer({ address: first.address }), "its successor");
    },
  },
  {
    id: "restart/live-server",
    title: "A server that is alive keeps its address and its clients when another process starts there",
    why: "A second start by mistake must fail, not take the clients of the first.",
    sharesPeer: true,
    typicalMs: 200,
    appliesTo: applies,
    async run(context) {
      const first = await context.startPeer();
      const client = await firstUse(context, first);
      const second = context.startPeer({ address: first.address });
      const code = await codeOf("a second server at a live address", second, 2 * PATIENCE_MS);
      assert.equal(code, "IPC_ADDRESS_IN_USE", `a second server at a live address failed with ${code}`);
      if (client !== undefined) {
        const reply = await within("a reply to the first server's client", client.request(pattern(20, 2)));
        assertSame("a reply to the first server's client", reply, pattern(20, 2));
        await client.close();
      }
      await assertServes(context, first, "the first server");
    },
  },
];
