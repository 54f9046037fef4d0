import assert from "node:assert/strict";
import type { Check } from "../../transports/contract/check.ts";

const REQUESTS = 10_000;
const LEAST = 500;
const BUDGET_MS = 3000;
const BODY_BYTES = 64;

export const sequentialRequests: Check = {
  id: "sequential-requests",
  title: "Many sequential requests on one connection are each answered with their own reply",
  why: "A connection that drifts, leaks or mixes replies up shows it only after thousands of messages.",
  quick: true,
  appliesTo: ({ patterns }) => patterns.includes("request-reply") || "this pattern has no replies",
  async run(context) {
    const client = await context.connect(await context.startPeer());
    const startedMs = performance.now();
    let done = 0;
    for (; done < REQUESTS; done++) {
      if (done >= LEAST && performance.now() - startedMs > BUDGET_MS) break;
      const body = Buffer.alloc(BODY_BYTES, done & 0xff);
      body.writeUInt32LE(done, 0);
      const reply = await client.request(body);
      assert.ok(Buffer.compare(reply, body) === 0, `request ${done} got the reply of another request`);
    }
    context.note("requests", done);
  },
};
