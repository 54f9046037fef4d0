import type { IpcErrorCode } from "../../transports/contract/errors.ts";
import { type Check, type CheckClient, Method } from "../check.ts";
import { canHaveOutstanding, ownProcess, replies, reportsStatistics } from "../kit/conditions.ts";
import { CheckFailure, eventually, expect, expectCode, expectSame, within } from "../kit/expect.ts";
import { delayedBody, pattern } from "../kit/messages.ts";
import { connectFor, expectEcho, expectNothingLeft, expectOrderlyExit, statistics } from "../kit/peer.ts";

const IN_FLIGHT = 4;
const DELAY_MS = 400;
/** Error codes with which a request to a server that has ended in order may fail. */
const LEFT: readonly IpcErrorCode[] = ["IPC_CLOSED", "IPC_PEER_LOST"];

export const gracefulShutdown: Check = {
  id: "graceful-shutdown",
  title: "On a shutdown request a server answers what it has taken, refuses new requests, exits with 0, leaves nothing",
  why: "Every deployment stops a server; it must not lose requests that it has taken, and must not need a kill.",
  typicalMs: 600,
  needs: [replies, ownProcess, reportsStatistics, canHaveOutstanding(IN_FLIGHT + 2)],
  async run(context) {
    const peer = await context.startPeer();
    const clients = await connectFor(context, peer, IN_FLIGHT + 2);
    const client = (index: number): CheckClient => clients[index % clients.length] as CheckClient;
    const last = client(clients.length - 1);
    const before = (await statistics(last)).requests;
    const bodies = Array.from({ length: IN_FLIGHT }, (_, index) => delayedBody(DELAY_MS, index));
    const inFlight = bodies.map((body, index) => client(index).request(body, { method: Method.echoLater }));
    const answers = Promise.allSettled(inFlight);
    // Each question is a request too and is counted, so all requests have arrived once the count exceeds the questions.
    let asked = 0;
    await eventually("the server has all requests", async () => {
      asked++;
      return (await statistics(last)).requests >= before + IN_FLIGHT + asked;
    });
    await last.request(new Uint8Array(0), { method: Method.shutdown });
    await expectCode("a request after the shutdown", LEFT, () => last.request(pattern(16, 1)));
    for (const [index, answer] of (await within("the replies in flight", answers)).entries()) {
      if (answer.status === "rejected")
        throw new CheckFailure(`request ${index}, in flight at the shutdown, failed: ${answer.reason}`);
      expectSame(`request ${index}, in flight at the shutdown`, answer.value, bodies[index] as Buffer);
    }
    await expectOrderlyExit("the server", peer.exited);
    await Promise.allSettled(clients.map((each) => each.close()));
    await expectNothingLeft("after the shutdown", context, peer);
    context.note("inFlight", IN_FLIGHT);
  },
};

export const endOfFile: Check = {
  id: "end-of-file",
  title: "When a server leaves in an orderly way, its clients get the end of the connection, not silence",
  why: "A client that takes the end for a slow reply waits for it for ever.",
  typicalMs: 275,
  needs: [replies, ownProcess],
  async run(context) {
    const { peerLoss } = context.transport.capabilities;
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    await expectEcho("a reply before the end", client, pattern(16, 1));
    await expectOrderlyExit("the server", peer.stop());
    if (peerLoss !== "undetected") {
      const error = await within("onClose after the server left", client.closed);
      expect(error === undefined, `an orderly end was reported as an error: ${error?.message}`);
    }
    const codes: readonly IpcErrorCode[] = peerLoss === "undetected" ? [...LEFT, "IPC_TIMEOUT"] : LEFT;
    const request = (): Promise<unknown> => client.request(pattern(16, 2), { timeoutMs: 500 });
    const { code } = await expectCode("a request after the end", codes, request);
    context.note("afterTheEnd", code);
  },
};
