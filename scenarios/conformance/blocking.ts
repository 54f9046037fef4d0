import { HEADER_BYTES, isFrame, Kind, readId, readKind } from "../../transports/contract/frame.ts";
import type { BlockingConnection, BlockingTransport } from "../../transports/contract/transport.ts";
import type { Check, CheckContext, Condition, Peer } from "../check.ts";
import { hasAddress, hasBlockingFace, lossIsNoticed, ownProcess, reliable, replies } from "../kit/conditions.ts";
import { expect, expectCode, expectSame } from "../kit/expect.ts";
import { frameOf, largestTried, pattern } from "../kit/messages.ts";
import { expectNoResidue } from "../kit/peer.ts";

/** Limit of each blocking call, ms. */
const CALL_LIMIT_MS = 5000;
const SHORT_MS = 60;
const SLACK_MS = 2000;
const SIZES = [0, 1, 4, 15, 255, 4000, 4096, 65_000, 65_536, 1_000_000];

/** Conditions of cases with a server in another process, because a handshake may need the thread of the server. */
const twoProcesses: readonly Condition[] = [hasBlockingFace, ownProcess, hasAddress, replies, reliable];

/** Checks of the blocking face, whose calls may sleep or spin. */
export const blocking: readonly Check[] = [
  {
    id: "blocking/exchange",
    title: "A blocking client gets back what it sent, at every size",
    why: "The blocking face is a second implementation; the results of the event face do not cover it.",
    quick: true,
    sharesPeer: true,
    typicalMs: 100,
    needs: twoProcesses,
    run: (context) =>
      withBlockingClient(context, (connection) => {
        const limit = largestTried(context.transport.capabilities);
        const into = new Uint8Array(limit);
        const sizes = [...SIZES, limit - HEADER_BYTES].filter((bytes) => bytes + HEADER_BYTES <= limit);
        for (const [id, bytes] of sizes.entries()) {
          const body = pattern(bytes, id);
          expect(connection.send(frameOf(Kind.request, id, body), CALL_LIMIT_MS), `send of ${bytes} bytes timed out`);
          expectReply(connection, into, id, body);
        }
      }),
  },
  {
    id: "blocking/time-runs-out",
    title: "receive returns -1 when its time has run out, and not much later",
    why: "A caller that cannot rely on the limit cannot do anything else in time.",
    typicalMs: 350,
    needs: twoProcesses,
    run: (context) =>
      withBlockingClient(context, (connection) => {
        const into = new Uint8Array(4096);
        for (const limitMs of [0, SHORT_MS]) {
          const startedAt = performance.now();
          const bytes = connection.receive(into, limitMs);
          const elapsedMs = performance.now() - startedAt;
          expect(bytes === -1, `receive returned ${bytes} although nothing was sent`);
          expect(elapsedMs < limitMs + SLACK_MS, `receive(${limitMs} ms) took ${Math.round(elapsedMs)} ms`);
          expect(elapsedMs >= limitMs * 0.9, `receive(${limitMs} ms) gave up after ${elapsedMs.toFixed(1)} ms`);
        }
        const body = pattern(40, 1);
        expect(connection.send(frameOf(Kind.request, 1, body), CALL_LIMIT_MS), "send after the wait timed out");
        expectReply(connection, into, 1, body);
      }),
  },
  {
    id: "blocking/too-large",
    title: "A message above the limit, or above the buffer, is IPC_TOO_LARGE, and the next one is whole",
    why: "An overrun writes into foreign memory; a cut message looks like a whole one.",
    typicalMs: 275,
    needs: twoProcesses,
    run: (context) =>
      withBlockingClient(context, async (connection) => {
        const above = new Uint8Array(context.transport.capabilities.maxMessageBytes + 1);
        await expectCode("send above the limit", ["IPC_TOO_LARGE"], () => connection.send(above, CALL_LIMIT_MS));
        const body = pattern(Math.min(200, largestTried(context.transport.capabilities) - HEADER_BYTES), 1);
        expect(connection.send(frameOf(Kind.request, 1, body), CALL_LIMIT_MS), "send timed out");
        await expectCode("receive into 20 bytes", ["IPC_TOO_LARGE"], () =>
          connection.receive(new Uint8Array(20), CALL_LIMIT_MS),
        );
        expect(connection.send(frameOf(Kind.request, 2, body), CALL_LIMIT_MS), "send timed out");
        expectReply(connection, new Uint8Array(4096), 2, body);
      }),
  },
  {
    id: "blocking/disposed",
    title: "After dispose send and receive throw IPC_CLOSED, and dispose may be called again",
    why: "A call on unmapped memory ends the process without an error message.",
    typicalMs: 275,
    needs: twoProcesses,
    run: (context) =>
      withBlockingClient(context, async (connection) => {
        connection[Symbol.dispose]();
        connection[Symbol.dispose]();
        await expectCode("send", ["IPC_CLOSED"], () =>
          connection.send(frameOf(Kind.request, 1, pattern(4, 1)), SHORT_MS),
        );
        await expectCode("receive", ["IPC_CLOSED"], () => connection.receive(new Uint8Array(64), SHORT_MS));
      }),
  },
  {
    id: "blocking/peer-loss",
    killsPeer: true,
    title: "When the server is killed, receive throws IPC_PEER_LOST as fast as claimed",
    why: "A thread that sleeps in receive can notice it in no other way.",
    typicalMs: 250,
    needs: [...twoProcesses, lossIsNoticed],
    run: (context) =>
      withBlockingClient(context, async (connection, peer) => {
        const into = new Uint8Array(4096);
        const body = pattern(10, 1);
        expect(connection.send(frameOf(Kind.request, 1, body), CALL_LIMIT_MS), "send timed out");
        expectReply(connection, into, 1, body);
        await peer.kill("SIGKILL");
        const startedAt = performance.now();
        await expectCode("receive after the kill", ["IPC_PEER_LOST"], () => connection.receive(into, CALL_LIMIT_MS));
        const elapsedMs = Math.round(performance.now() - startedAt);
        expect(elapsedMs < 1000 + SLACK_MS, `the loss was noticed after ${elapsedMs} ms`);
        context.note("noticedAfterMs", elapsedMs);
      }),
  },
  {
    id: "blocking/nobody-listens",
    title: "A blocking connect where nobody listens fails within its limit",
    why: "The call blocks its thread; without a limit it blocks it for ever.",
    needs: [
      hasBlockingFace,
      hasAddress,
      ({ connects }) => connects === "checked" || "connect does not check who listens",
    ],
    async run(context) {
      const address = await context.allocate();
      const startedAt = performance.now();
      await expectCode("connect", ["IPC_PEER_LOST", "IPC_TIMEOUT"], () =>
        blockingFace(context).connect(address, 300)[Symbol.dispose](),
      );
      const elapsedMs = Math.round(performance.now() - startedAt);
      expect(elapsedMs < 300 + SLACK_MS, `connect with a limit of 300 ms took ${elapsedMs} ms`);
      await expectNoResidue(context, address);
    },
  },
  {
    id: "blocking/server",
    title: "A blocking server waits in slices, refuses a second server, and leaves nothing",
    why: "Between slices it must be able to check whether to end, and its end must be as clean as any.",
    typicalMs: 90,
    needs: [hasBlockingFace, hasAddress],
    async run(context) {
      const address = await context.allocate();
      const server = blockingFace(context).listen(address);
      try {
        expect(server.from === undefined, "from names a client before the first message");
        const startedAt = performance.now();
        const bytes = server.receive(new Uint8Array(64), SHORT_MS);
        const elapsedMs = Math.round(performance.now() - startedAt);
        expect(bytes === -1, `receive returned ${bytes} although there is no client`);
        expect(elapsedMs < SHORT_MS + SLACK_MS, `receive(${SHORT_MS} ms) took ${elapsedMs} ms`);
        await expectCode("the second listen", ["IPC_ADDRESS_IN_USE"], () =>
          blockingFace(context).listen(server.address)[Symbol.dispose](),
        );
      } finally {
        server[Symbol.dispose]();
        server[Symbol.dispose]();
      }
      await expectNoResidue(context, server.address);
    },
  },
];

function blockingFace(context: CheckContext): BlockingTransport {
  const { blocking: face } = context.transport;
  expect(face !== undefined, "the case was run although there is no blocking face");
  return face;
}

async function withBlockingClient(
  context: CheckContext,
  body: (connection: BlockingConnection, peer: Peer) => void | Promise<void>,
): Promise<void> {
  const peer = await context.startPeer();
  const connection = blockingFace(context).connect(peer.address, CALL_LIMIT_MS);
  try {
    await body(connection, peer);
  } finally {
    connection[Symbol.dispose]();
  }
}

function expectReply(connection: BlockingConnection, into: Uint8Array, id: number, body: Uint8Array): void {
  const bytes = connection.receive(into, CALL_LIMIT_MS);
  expect(bytes >= 0, `no reply to request ${id} of ${body.length} bytes`);
  const reply = into.subarray(0, bytes);
  expect(isFrame(reply) && readKind(reply) === Kind.reply, `what came back for request ${id} is no reply`);
  expect(readId(reply) === id, `the reply to request ${id} names ${readId(reply)}`);
  expectSame(`reply to request ${id}`, reply.subarray(HEADER_BYTES), body);
}
