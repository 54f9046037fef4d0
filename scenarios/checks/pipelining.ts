import { isIpcError } from "../../transports/contract/errors.ts";
import { type Check, type CheckClient, Method, POOL } from "../check.ts";
import { canHaveOutstanding, hasMethods, pipelined, replies } from "../kit/conditions.ts";
import { expect, expectSame } from "../kit/expect.ts";
import { bodyUpTo, delayedBody, pattern } from "../kit/messages.ts";
import { connectFor, expectEcho } from "../kit/peer.ts";

const DEPTH = 24;
const STEP_MS = 15;

export const pipelining: Check = {
  id: "pipelining",
  title: "Replies that overtake each other still reach their own requests",
  why: "Without correlation ids the first slow request hands its reply to the next one.",
  sharesPeer: true,
  typicalMs: 350,
  needs: [replies, hasMethods, pipelined],
  async run(context) {
    const client = await context.connect(await context.startPeer());
    const depth = Math.min(DEPTH, context.transport.capabilities.maxInFlight);
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: depth }, async (_, index) => {
        const body = delayedBody((depth - index) * STEP_MS, index);
        await expectEcho(`request ${index}`, client, body, { method: Method.echoLater });
        order.push(index);
      }),
    );
    // The first request waits longest. If the last reply came after the first, they were not outstanding together.
    const overtook = order.indexOf(depth - 1) < order.indexOf(0);
    expect(overtook, `${depth} requests were outstanding by its own account, yet none overtook the first`);
    context.note("inFlight", depth);
  },
};

const SLOW_JOBS_MS = [250, 1500];

export const workerPool: Check = {
  id: "worker-pool",
  title: "A pool of threads replies to each request as soon as its work ends, and no reply reaches another request",
  why: "One slow job must not delay the others, and each reply must reach the client of its job.",
  sharesPeer: true,
  typicalMs: 400,
  needs: [replies, hasMethods, canHaveOutstanding(POOL.workers)],
  async run(context) {
    const clients = await connectFor(context, await context.startPeer(), POOL.workers);
    const client = (index: number): CheckClient => clients[index % clients.length] as CheckClient;
    const jobs = Array.from({ length: POOL.workers }, (_, index) => index);
    const quick = (index: number): Promise<unknown> =>
      client(index).request(delayedBody(0, index), { method: Method.pooled });
    // The threads start with their first job, and on a busy machine the start takes longer than the slow job.
    await Promise.all(jobs.map(quick));
    // Repeated with longer jobs, since the machine may stall as long as the slow job. A pool that queues always fails.
    let last: number | undefined;
    for (const slowMs of SLOW_JOBS_MS) {
      const order: number[] = [];
      await Promise.all(
        jobs.map(async (index) => {
          const body = delayedBody(index === 0 ? slowMs : 5, index);
          await expectEcho(`job ${index}`, client(index), body, { method: Method.pooled });
          order.push(index);
        }),
      );
      last = order.at(-1);
      if (last === 0) break;
    }
    expect(last === 0, "the slow job delayed the quick ones");
    context.note("workers", POOL.workers);
  },
};

const OFFERED = POOL.workers + POOL.queue + 6;
const JOB_MS = 400;

export const busyServer: Check = {
  id: "busy-server",
  title: "A server at its limit answers busy at once instead of queueing, and serves again when it has room",
  why: "An unbounded queue turns overload into latency, then into memory, then into a crash.",
  sharesPeer: true,
  typicalMs: 800,
  needs: [replies, hasMethods, canHaveOutstanding(OFFERED)],
  async run(context) {
    const clients = await connectFor(context, await context.startPeer(), OFFERED);
    const order: ("answered" | "busy")[] = [];
    await Promise.all(
      Array.from({ length: OFFERED }, async (_, index) => {
        const body = delayedBody(JOB_MS, index);
        const client = clients[index % clients.length] as CheckClient;
        try {
          await expectEcho(`job ${index}`, client, body, { method: Method.pooled, timeoutMs: 10_000 });
          order.push("answered");
        } catch (error) {
          if (!isIpcError(error) || error.errno !== "EBUSY") throw error;
          order.push("busy");
        }
      }),
    );
    const answered = order.filter((outcome) => outcome === "answered").length;
    const capacity = POOL.workers + POOL.queue;
    expect(answered >= capacity, `${answered} of ${OFFERED} jobs were done; ${capacity} have room`);
    expect(answered < OFFERED, `all ${OFFERED} jobs were taken although only ${capacity} have room`);
    expect(order[0] === "busy", "refused jobs had to wait for those that were served");
    const body = delayedBody(0, 99);
    const [client] = clients as [CheckClient, ...CheckClient[]];
    await expectEcho("a job after the rush", client, body, { method: Method.pooled });
    context.note("answered", answered);
    context.note("busy", OFFERED - answered);
  },
};

const SIZES = [0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 63, 64, 65, 255, 256, 257, 1023, 4079, 4080, 4081, 4096, 4097];
const LARGE_SIZES = [16_383, 16_384, 65_519, 65_520, 65_521, 65_535, 65_536, 65_537, 200_001];

export const messageBoundaries: Check = {
  id: "message-boundaries",
  title: "Messages of awkward sizes, sent without a pause, come back with the same boundaries",
  why: "Near the size of a buffer or a page, messages may be joined or split by mistake.",
  sharesPeer: true,
  typicalMs: 40,
  needs: [replies],
  async run(context) {
    const client = await context.connect(await context.startPeer());
    const { capabilities } = context.transport;
    const sizes = [...SIZES, ...LARGE_SIZES].filter((size) => size <= bodyUpTo(size, capabilities));
    for (const order of [sizes, sizes.toReversed()]) {
      const bodies = order.map((size) => pattern(size, size));
      const answers = await Promise.all(bodies.map((body) => client.request(body)));
      for (const [index, body] of bodies.entries()) {
        expectSame(`a message of ${body.length} bytes`, answers[index] as Uint8Array, body);
      }
    }
    context.note("sizes", sizes.length);
  },
};
