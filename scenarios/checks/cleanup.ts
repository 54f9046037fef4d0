import { isIpcError } from "../../transports/contract/errors.ts";
import type { Condition } from "../check.ts";
import { type Check, type CheckClient, type CheckContext, Method, type Peer } from "../check.ts";
import { canAskToEnd, hasMethods, ownProcess, replies, repliesOrPublishes } from "../kit/conditions.ts";
import { expect, within } from "../kit/expect.ts";
import { expectNothingLeft, expectOrderlyExit, firstUse } from "../kit/peer.ts";

export const cleanup: readonly Check[] = [
  ending("stop", "an orderly stop", async (_, peer) => {
    await expectOrderlyExit("the server", peer.stop());
  }),
  ending(
    "exception",
    "an uncaught exception",
    async (_, peer, client) => {
      expect(client !== undefined, "no client to cause it");
      const asked = client.request(new Uint8Array(0), { method: Method.throws, timeoutMs: 2000 });
      // A peer without this method refuses it; another peer ends without a reply.
      const refused = asked.then(
        () => undefined,
        (error: unknown) => error,
      );
      const unknown = await Promise.race([refused, peer.exited.then(() => undefined)]);
      if (isIpcError(unknown) && unknown.code === "IPC_UNKNOWN_METHOD") throw unknown;
      const exit = await within("the end of the server", peer.exited);
      expect(exit.code === 1, `a server that failed ended with ${exit.code ?? exit.signal}`);
    },
    (capabilities, transport) =>
      (replies(capabilities, transport) === true ? hasMethods : replies)(capabilities, transport),
  ),
  ending(
    "sigterm",
    "SIGTERM",
    async (context, peer) => {
      await within("the end of the server", peer.kill("SIGTERM"));
      await sweepWhereNeeded(context, peer);
    },
    canAskToEnd,
  ),
  ending("sigkill", "SIGKILL and a sweep", async (context, peer) => {
    await within("the end of the server", peer.kill("SIGKILL"));
    context.note("leftByTheKill", (await context.residue(peer.address)).length);
    await context.transport.sweep(peer.address);
    await context.transport.sweep(peer.address);
  }),
];

function ending(
  name: string,
  what: string,
  end: (context: CheckContext, peer: Peer, client: CheckClient | undefined) => Promise<void>,
  condition: Condition = () => true,
): Check {
  return {
    id: `cleanup/${name}`,
    title: `Nothing is left after ${what}: no path, segment, queue or semaphore`,
    why: "Leftovers of every run fill the machine: segments are memory, and names block the next start.",
    typicalMs: 200,
    needs: [repliesOrPublishes, ownProcess, condition],
    async run(context) {
      const peer = await context.startPeer();
      const client = await firstUse(context, peer);
      await end(context, peer, client);
      await client?.close().catch(() => undefined);
      await expectNothingLeft(`after ${what}`, context, peer);
    },
  };
}

/** Sweeps if the server sleeps in a call: then it runs no signal handler and ends without a clean-up. */
async function sweepWhereNeeded(context: CheckContext, peer: Peer): Promise<void> {
  if (context.transport.capabilities.modes[0] === "event") return;
  context.note("sweptAfter", true);
  await context.transport.sweep(peer.address);
}
