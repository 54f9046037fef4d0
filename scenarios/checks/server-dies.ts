import { isIpcError } from "../../transports/contract/errors.ts";
import { type Check, Method } from "../check.ts";
import { holdsRequests, lossIsNoticed, ownProcess, replies } from "../kit/conditions.ts";
import { expect, meetsDeadline } from "../kit/expect.ts";
import { delayedBody, pattern } from "../kit/messages.ts";

const TIMEOUT_MS = 1000;
const MOST_IN_FLIGHT = 8;
/** Time allowed for noticing a death, ms, by the claim of the mechanism. */
const NOTICE_MS = { immediate: 250, heartbeat: 1000 } as const;

export const serverDies: Check = {
  id: "server-dies",
  title: "When the server dies, every request in flight fails within its deadline, and so does the next one",
  why: "A client that hangs on receive when its server crashed takes its own users down with it.",
  alone: true,
  typicalMs: 500,
  needs: [replies, ownProcess, holdsRequests],
  async run(context) {
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    await client.request(pattern(16, 1));
    const isProgram = context.transport.program !== undefined;
    if (isProgram) await peer.freeze();
    const method = isProgram ? Method.echo : Method.echoLater;
    const inFlight = Math.min(MOST_IN_FLIGHT, context.transport.capabilities.maxInFlight);
    const { result, tookMs } = await meetsDeadline("requests in flight when the server died", TIMEOUT_MS, async () => {
      const requests = Array.from({ length: inFlight }, (_, index) =>
        client.request(delayedBody(60_000, index), { method, timeoutMs: TIMEOUT_MS }),
      );
      const outcomes = Promise.allSettled(requests);
      await peer.kill("SIGKILL");
      return outcomes;
    });
    const outcomes = result.status === "fulfilled" ? result.value : [];
    for (const outcome of outcomes) expectFailed(outcome);
    const next = await meetsDeadline("a request after the server died", TIMEOUT_MS, () =>
      client.request(pattern(16, 2), { timeoutMs: TIMEOUT_MS }),
    );
    expectFailed(next.result);
    context.note("inFlight", inFlight);
    context.note("failedAfterMs", Math.round(tookMs));
  },
};

function expectFailed(outcome: PromiseSettledResult<unknown>): void {
  expect(outcome.status === "rejected", "a request was answered by a dead server");
  const code = outcome.status === "rejected" && isIpcError(outcome.reason) ? outcome.reason.code : "no IpcError";
  const known = ["IPC_PEER_LOST", "IPC_CLOSED", "IPC_TIMEOUT"];
  expect(known.includes(code), `a request to a dead server failed with ${code}`);
}

export const peerLoss: Check = {
  id: "peer-loss",
  title: "An idle client notices its server's death as fast as the mechanism claims",
  why: "A failover begins only once somebody notices.",
  alone: true,
  typicalMs: 140,
  needs: [ownProcess, lossIsNoticed],
  async run(context) {
    const { peerLoss: claim } = context.transport.capabilities;
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    const limitMs = claim === "heartbeat" ? NOTICE_MS.heartbeat : NOTICE_MS.immediate;
    const gone = peer.kill("SIGKILL");
    void gone.catch(() => undefined);
    await gone;
    const { tookMs } = await meetsDeadline(
      `onClose after the server's death, claimed to be ${claim},`,
      limitMs,
      () => client.closed,
    );
    context.note("noticedAfterMs", Math.round(tookMs));
  },
};
