import assert from "node:assert/strict";
import { type Check, type CheckClient, Method } from "../check.ts";
import {
  assertNothingLeft,
  assertSame,
  canHaveOutstanding,
  codeOf,
  connectFor,
  delayedBody,
  eventually,
  needs,
  ownProcess,
  pattern,
  replies,
  statistics,
  tellsStatistics,
  within,
} from "./support.ts";

const IN_FLIGHT = 4;
const DELAY_MS = 400;

export const gracefulShutdown: Check = {
  id: "graceful-shutdown",
  title: "Told to shut down, a server answers what it has taken, refuses what comes, exits with 0 and leaves nothing",
  why: "Every deployment ends a server; what it had taken must not be lost, and it must not need a kill.",
  typicalMs: 600,
  appliesTo: needs(replies, ownProcess, tellsStatistics, canHaveOutstanding(IN_FLIGHT + 2)),
  async run(context) {
    const peer = await context.startPeer();
    const clients = await connectFor(context, peer, IN_FLIGHT + 2);
    const client = (index: number): CheckClient => clients[index % clients.length] as CheckClient;
    const last = client(clients.length - 1);
    const before = (await statistics(last)).requests;
    const bodies = Array.from({ length: IN_FLIGHT }, (_, index) => delayedBody(DELAY_MS, index));
    const inFlight = bodies.map((body, index) => client(index).request(body, { method: Method.echoLater }));
    const answers = Promise.allSettled(inFlight);
    // Asking costs a request itself; all are there once more than that many have come.
    let asked = 0;
    await eventually("the server has all requests", async () => {
      asked++;
      return (await statistics(last)).requests >= before + IN_FLIGHT + asked;
    });
    await last.request(new Uint8Array(0), { method: Method.shutdown });
    const code = await codeOf("a request after the shutdown", last.request(pattern(16, 1)));
    assert.ok(["IPC_CLOSED", "IPC_PEER_LOST"].includes(code), `a request after the shutdown failed with ${code}`);
    for (const [index, answer] of (await within("the replies in flight", answers)).entries()) {
      if (answer.status === "rejected")
        assert.fail(`request ${index}, in flight at the shutdown, failed: ${answer.reason}`);
      assertSame(`request ${index}, in flight at the shutdown`, answer.value, bodies[index] as Buffer);
    }
    const exit = await within("the end of the server", peer.exited);
    assert.equal(exit.code, 0, `the server ended with ${exit.code ?? exit.signal}`);
    await Promise.allSettled(clients.map((each) => each.close()));
    await assertNothingLeft("after the shutdown", context, peer);
    context.note("inFlight", IN_FLIGHT);
  },
};

export const endOfFile: Check = {
  id: "end-of-file",
  title: "A server that leaves in an orderly way is the end of the connection, in words and not in silence",
  why: "A client that takes the end for a slow reply waits for it for ever.",
  typicalMs: 275,
  appliesTo: needs(replies, ownProcess),
  async run(context) {
    const { peerLoss } = context.transport.capabilities;
    const peer = await context.startPeer();
    const client = await context.connect(peer);
    assertSame("a reply before the end", await client.request(pattern(16, 1)), pattern(16, 1));
    const exit = await within("the end of the server", peer.stop());
    assert.equal(exit.code, 0, `the server ended with ${exit.code ?? exit.signal}`);
    if (peerLoss !== "undetected") {
      const error = await within("onClose after the server left", client.closed);
      assert.equal(error, undefined, `an orderly end was reported as an error: ${error?.message}`);
    }
    const code = await codeOf("a request after the end", client.request(pattern(16, 2), { timeoutMs: 500 }));
    const known =
      peerLoss === "undetected" ? ["IPC_CLOSED", "IPC_PEER_LOST", "IPC_TIMEOUT"] : ["IPC_CLOSED", "IPC_PEER_LOST"];
    assert.ok(known.includes(code), `a request after the end failed with ${code}`);
    context.note("afterTheEnd", code);
  },
};
