import type { OpenOptions } from "../../transports/contract/transport.ts";
import type { Check, Condition } from "../check.ts";
import {
  hasEventFace,
  hasRawClient,
  inOneProcess,
  ownProcess,
  reliable,
  replies,
  takesKeys,
} from "../kit/conditions.ts";
import { expect, expectCode, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { eventFace, sendAll, withServer } from "../kit/one-process.ts";
import { expectEcho } from "../kit/peer.ts";
import { echoing, Recorder } from "../kit/recorder.ts";

const launchesRawClients: Condition = (_, { launchRaw }) =>
  launchRaw !== undefined || "no child is launched that could write raw bytes";
const framed: Condition = ({ boundaries }) =>
  boundaries !== "kernel" || "the kernel keeps boundaries: any bytes are a message";

const reachesServer: Condition = ({ broker }) =>
  broker === undefined || "raw bytes go to the broker, which answers them itself";

/** Checks with bytes that are no message, and with clients that must be refused. */
export const security: readonly Check[] = [
  {
    id: "security/garbage",
    title: "A client that sends garbage is disconnected; the others are served as before",
    why: "One broken or hostile client must not take the service from all others.",
    quick: true,
    typicalMs: 175,
    sharesPeer: true,
    needs: [hasEventFace, hasRawClient, framed, reachesServer, ownProcess, replies],
    async run(context) {
      const peer = await context.startPeer();
      const client = await context.connect(peer);
      const rawClient = await context.connectRaw(peer.address);
      try {
        // Read as a length, these bytes announce a message of 4 GiB.
        await rawClient.write(new Uint8Array(4096).fill(0xff)).catch(() => undefined);
        await within("the server to hang up on garbage", rawClient.closed);
      } finally {
        await rawClient[Symbol.asyncDispose]();
      }
      await expectEcho("reply to another client", client, pattern(40, 1));
      await within("close", client.close());
    },
  },
  {
    id: "security/random-garbage",
    title: "A server keeps serving whatever bytes raw clients send: whole, in halves, or cut short",
    why: "Unexpected input arrives sooner or later.",
    typicalMs: 225,
    sharesPeer: true,
    needs: [hasEventFace, hasRawClient, ownProcess, replies],
    async run(context) {
      const peer = await context.startPeer();
      const client = await context.connect(peer);
      for (let round = 0; round < 12; round += 1) {
        const rawClient = await context.connectRaw(peer.address);
        await rawClient.write(pattern(1 + round * 11, round)).catch(() => undefined);
        await rawClient[Symbol.asyncDispose]();
        await expectEcho(`reply after raw client ${round}`, client, pattern(9, round));
      }
      await within("close", client.close());
    },
  },
  {
    id: "security/half-a-frame",
    title: "A client that dies in the middle of a message is reported as lost, and no half message is delivered",
    why: "Half a message that looks whole is worse than none.",
    needs: [
      inOneProcess,
      hasRawClient,
      ({ boundaries }) => boundaries === "prefix" || "a library frames the messages: no raw bytes can cut one",
      ({ auth }) => !auth.includes("shared-key") || "a raw client has no key",
    ],
    async run(context) {
      const atServer = new Recorder("the server");
      await withServer(context, atServer, async (server) => {
        const rawClient = await context.connectRaw(server.address);
        await rawClient.write(Uint8Array.of(40, 0, 0, 0, 1, 2, 3));
        await atServer.until("the stranger", () => atServer.connections.length > 0);
        await rawClient[Symbol.asyncDispose]();
        await atServer.until("onClose", () => atServer.closings.length > 0);
        expectHalfLost(atServer);
      });
    },
  },
  {
    id: "security/child-garbage",
    title:
      "A child that writes garbage ends its connection with IPC_MALFORMED, and its parent lives and launches others",
    why: "A child that prints where its messages belong is a bug of the child, and must not end its parent.",
    quick: true,
    typicalMs: 40,
    needs: [launchesRawClients],
    async run(context) {
      for (const round of [1, 2]) {
        const side = new Recorder(`the parent of child ${round}`);
        const rawClient = await context.launchRaw(side);
        // As a length, these bytes announce 4 GiB; as a line, they are not text.
        await rawClient.write(Buffer.from(`${"\xff".repeat(4096)}\n`, "latin1")).catch(() => undefined);
        // The child lives on, so only its bytes can end the connection.
        await side.until("onClose", () => side.closings.length > 0);
        const code = side.closings[0]?.error?.code;
        expect(code === "IPC_MALFORMED", `garbage ended the connection with ${code ?? "an orderly close"}`);
        expect(side.received === 0, "garbage was delivered as a message");
        await rawClient[Symbol.asyncDispose]();
      }
    },
  },
  {
    id: "security/child-dies-in-a-frame",
    title: "A child that dies in the middle of a message is reported as lost, and no half message is delivered",
    why: "Half a message that looks whole is worse than none.",
    typicalMs: 20,
    needs: [launchesRawClients],
    async run(context) {
      const side = new Recorder("the parent");
      const rawClient = await context.launchRaw(side);
      await rawClient.write(Uint8Array.of(0, 0, 0, 1, 2, 3)).catch(() => undefined);
      await rawClient[Symbol.asyncDispose]();
      await side.until("onClose", () => side.closings.length > 0);
      expectHalfLost(side);
      expect(side.closings.length === 1, `onClose was called ${side.closings.length} times`);
    },
  },
  {
    id: "security/shared-key",
    title: "A client with the right key is served; one with a wrong key, or none, is refused with IPC_AUTH_FAILED",
    why: "A key that is not checked is worse than none, because users rely on it.",
    needs: [inOneProcess, takesKeys, replies, reliable],
    async run(context) {
      const key = pattern(32, 77);
      const atServer = echoing(new Recorder("the server"));
      await withServer(
        context,
        atServer,
        async (server) => {
          // A client without a key may be refused later: the server then ends its connection.
          const refuse = async (options?: OpenOptions): Promise<unknown> => {
            const side = new Recorder("an unwelcome client");
            const connection = await eventFace(context).connect(server.address, side, options);
            await side.until("its end", () => side.closings.length > 0);
            const error = side.closings[0]?.error;
            if (error !== undefined) throw error;
            return connection;
          };
          await expectCode("connect with a wrong key", ["IPC_AUTH_FAILED"], () => refuse({ key: pattern(32, 78) }));
          await expectCode("connect without a key", ["IPC_AUTH_FAILED"], () => refuse());
          const side = new Recorder("the client");
          const client = await within("connect", eventFace(context).connect(server.address, side, { key }));
          await sendAll(side, client, [pattern(64, 1)]);
          await side.until("an echo", () => side.received > 0);
          expect(atServer.received === 1, `${atServer.received} messages reached the server; one came from its client`);
          await within("close", client.close());
        },
        { key },
      );
    },
  },
];

/** @throws CheckFailure unless half a message ended the connection as lost or refused, and was not delivered */
function expectHalfLost({ closings, received }: Recorder): void {
  const code = closings[0]?.error?.code;
  expect(
    code === "IPC_PEER_LOST" || code === "IPC_MALFORMED",
    `half a message ended with ${code ?? "an orderly close"}`,
  );
  expect(received === 0, "half a message was delivered");
}
