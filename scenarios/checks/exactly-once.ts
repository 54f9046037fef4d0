import type { Check, CheckClient } from "../check.ts";
import { hasAddress, replies } from "../kit/conditions.ts";
import { expect, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { expectEcho } from "../kit/peer.ts";

const REQUESTS = 400;
const KILL_AFTER = 60;
const WINDOW = 16;

export const exactlyOnceReplies: Check = {
  id: "exactly-once-replies",
  title: "When the server is killed in the middle, every request is answered exactly once or fails",
  why: "A request that is repeated may be processed twice; its reply must still count once.",
  timeoutMs: 40_000,
  typicalMs: 850,
  needs: [replies, hasAddress],
  async run(context) {
    const first = await context.startPeer();
    const client = await context.connect(first);
    const answered = new Set<number>();
    const failed = new Set<number>();
    let killed: Promise<unknown> | undefined;
    // Continues until requests fail, so that some are in flight when the server dies. The successor gets the rest.
    const alive = (): boolean => failed.size === 0;
    await run(REQUESTS, alive, async (number) => {
      try {
        await echo(client, number);
      } catch {
        failed.add(number);
        return;
      }
      expect(!answered.has(number), `request ${number} was answered twice`);
      answered.add(number);
      if (answered.size === KILL_AFTER) killed = first.kill("SIGKILL");
    });
    await within("the end of the server", killed ?? Promise.reject(new Error("the server was never killed")));
    expect(failed.size > 0, "every request was answered although the server was killed");
    await client.close().catch(() => undefined);
    const second = await context.startPeer({ address: first.address });
    const successor = await context.connect(second);
    const strays = successor.unexpected;
    const left = Array.from({ length: REQUESTS }, (_, number) => number).filter((number) => !answered.has(number));
    await run(
      left.length,
      () => true,
      async (index) => {
        const number = left[index] as number;
        await echo(successor, number);
        answered.add(number);
      },
    );
    expect(answered.size === REQUESTS, `${REQUESTS - answered.size} requests were never answered`);
    const extra = client.unexpected + successor.unexpected - strays;
    expect(extra === 0, `${extra} replies came that belonged to no request`);
    context.note("requests", REQUESTS);
    context.note("repeated", failed.size);
  },
};

async function echo(client: CheckClient, number: number): Promise<void> {
  const body = pattern(32, number);
  await expectEcho(`request ${number}`, client, body, { timeoutMs: 1500 });
}

/** Keeps a number of requests in flight: starts the next one whenever one settles. */
async function run(count: number, goesOn: () => boolean, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && goesOn()) await one(next++);
  };
  await Promise.all(Array.from({ length: WINDOW }, lane));
}
