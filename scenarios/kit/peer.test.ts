import { expect, test } from "vitest";
import type { CheckClient } from "../check.ts";
import { collectTotals } from "./peer.ts";

/** A server that takes 60 ms for each answer, as on a busy machine; the messages come behind its first one. */
function slowServer(): CheckClient {
  let looks = 0;
  const request = async (): Promise<Uint8Array> => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const received = looks++ === 1 ? 3 : 0;
    return Buffer.from(JSON.stringify({ received, duplicated: 0, reordered: 0, corrupted: 0 }));
  };
  return { request } as unknown as CheckClient;
}

test("messages are waited for in looks, so that a slow answer is no end of them", async () => {
  expect(await collectTotals(slowServer(), 3, 40)).toMatchObject({ received: 3 });
  expect(await collectTotals(slowServer(), 4, 40)).toMatchObject({ received: 3 });
});
