import { isIpcError } from "../../transports/contract/errors.ts";
import type { Check } from "../check.ts";
import {
  hasEventFace,
  inOneProcess,
  oneWay,
  ownProcess,
  pipelined,
  pushesBack,
  reliable,
  replies,
} from "../kit/conditions.ts";
import { expect, expectCode, expectSame, within } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { eventFace, fill, sendAll, withPair, withServer } from "../kit/one-process.ts";
import { expectEcho, expectNoResidue } from "../kit/peer.ts";
import { echoing, Recorder } from "../kit/recorder.ts";

const CLOSE_LIMIT_MS = 400;

/** Checks of opening, closing, and the order of callbacks. */
export const lifecycle: readonly Check[] = [
  {
    id: "lifecycle/open-first",
    title: "onOpen is the first callback on both sides and onClose the last, each exactly once",
    why: "Programs create state in onOpen and remove it in onClose; a message before or after finds none.",
    quick: true,
    needs: [inOneProcess, replies, reliable],
    async run(context) {
      const atServer = echoing(new Recorder("the server"));
      const atClient = new Recorder("the client");
      await withServer(context, atServer, async (server) => {
        const client = await within("connect", eventFace(context).connect(server.address, atClient));
        expect(atClient.happenings[0] === "open", "connect resolved before onOpen was called");
        for (let index = 0; index < 5; index += 1) {
          await sendAll(atClient, client, [pattern(10, index)]);
          await atClient.until("an echo", () => atClient.received > index);
        }
        await within("close", client.close());
        await atServer.until(
          "onClose of every connection",
          () => atServer.closings.length >= atServer.connections.length,
        );
      });
      const { happenings, closings } = atClient;
      expect(happenings.filter((each) => each === "open").length === 1, "onOpen was called more than once");
      expect(closings.length === 1, `onClose was called ${closings.length} times`);
      expect(happenings.at(-1) === "close", `${happenings.at(-1)} came after onClose`);
      expect(atServer.happenings[0] === "open", `the server's first callback was ${atServer.happenings[0]}`);
      expect(atServer.closings.length === atServer.connections.length, "the server saw more closings than connections");
      const error = [...closings, ...atServer.closings].find((closing) => closing.error !== undefined)?.error;
      expect(error === undefined, `an orderly close was reported as ${error?.code}: ${error?.message}`);
    },
  },
  {
    id: "lifecycle/server-speaks-first",
    title: "The server may send from inside onOpen and the client misses nothing",
    why: "Greetings and challenges are sent at once; a handler attached too late would lose them.",
    needs: [inOneProcess, replies, oneWay, reliable, pipelined],
    run(context) {
      const atServer = new Recorder("the server");
      atServer.whenOpen = (connection) => void connection.send(pattern(50, 9));
      return withPair(context, atServer, async ({ atClient }) => {
        await atClient.until("the greeting", () => atClient.received > 0);
        expectSame("greeting", atClient.messages[0], pattern(50, 9));
      });
    },
  },
  {
    id: "lifecycle/send-calls-nobody",
    title: "send never calls a handler of either side before it returns",
    why: "A callback inside send re-enters code that is half-way through its own update.",
    needs: [inOneProcess, replies, reliable],
    async run(context) {
      let sending = 0;
      let offence: string | undefined;
      const watch = (recorder: Recorder): Recorder => {
        recorder.spy = (happening) => {
          if (sending > 0) offence ??= `${recorder.name} got ${happening} from inside send`;
        };
        return recorder;
      };
      const atServer = watch(new Recorder("the server"));
      atServer.whenMessage = (message, connection) => {
        sending += 1;
        connection.send(message);
        sending -= 1;
      };
      const atClient = watch(new Recorder("the client"));
      await withServer(context, atServer, async (server) => {
        const client = await within("connect", eventFace(context).connect(server.address, atClient));
        for (let index = 0; index < 50; index += 1) {
          sending += 1;
          const taken = client.send(pattern(index, index));
          sending -= 1;
          expect(taken, "send answered false although nothing was outstanding");
          await atClient.until("an echo", () => atClient.received > index);
        }
        await within("close", client.close());
      });
      expect(offence === undefined, offence ?? "");
    },
  },
  {
    id: "lifecycle/close-is-idempotent",
    title: "close may be called again and again; send after it throws IPC_CLOSED",
    why: "Clean-up code runs from several places; the second call must neither fail nor hang.",
    needs: [inOneProcess],
    run: (context) =>
      withPair(context, new Recorder("the server"), async ({ client, atClient, server }) => {
        const first = client.close();
        await expectCode("send after close was called", ["IPC_CLOSED"], () => client.send(pattern(10, 1)));
        await within("close", Promise.all([first, client.close(), client[Symbol.asyncDispose]()]));
        await within("close of what is closed", client.close());
        await expectCode("send on a closed connection", ["IPC_CLOSED"], () => client.send(pattern(10, 1)));
        client.pause();
        client.resume();
        expect(
          atClient.closings.length === 1,
          `onClose was called ${atClient.closings.length} times before close settled`,
        );
        await within("close of the server", Promise.all([server.close(), server.close()]));
      }),
  },
  {
    id: "lifecycle/close-delivers",
    title: "Everything send took before close arrives",
    why: "The last messages before an exit are the ones that matter: results, commits, goodbyes.",
    quick: true,
    needs: [inOneProcess, oneWay, reliable],
    async run(context) {
      const atServer = new Recorder("the server");
      const bytes = Math.min(10_000, context.transport.capabilities.maxMessageBytes);
      await withPair(context, atServer, async ({ client }) => {
        let taken = 0;
        while (taken < 60 && client.send(pattern(bytes, taken))) taken += 1;
        await within("close", client.close());
        await atServer.until(`all ${taken} messages taken`, () => atServer.received >= taken);
        expect(atServer.received === taken, `${taken} messages were taken and ${atServer.received} arrived`);
      });
    },
  },
  {
    id: "lifecycle/close-has-a-limit",
    title: "close settles in its time although the other side does not read",
    why: "A shutdown that waits for a stuck peer never ends.",
    typicalMs: 500,
    needs: [inOneProcess, oneWay, reliable, pushesBack],
    async run(context) {
      const atServer = new Recorder("the server");
      atServer.keeps = false;
      atServer.whenOpen = (connection) => connection.pause();
      await withPair(context, atServer, async ({ client, atClient }) => {
        await fill(atClient, client, Math.min(65_536, context.transport.capabilities.maxMessageBytes));
        const startedAt = performance.now();
        const outcome = await within(
          "close",
          client.close(CLOSE_LIMIT_MS).catch((error: unknown) => error),
        );
        const elapsedMs = performance.now() - startedAt;
        expect(elapsedMs < CLOSE_LIMIT_MS + 2000, `close(${CLOSE_LIMIT_MS}) took ${Math.round(elapsedMs)} ms`);
        expect(
          atClient.closings.length === 1,
          `onClose was called ${atClient.closings.length} times before close settled`,
        );
        if (outcome === undefined) return;
        expect(isIpcError(outcome) && outcome.code === "IPC_TIMEOUT", `close failed with ${String(outcome)}`);
      });
    },
  },
  {
    id: "lifecycle/client-of-a-process",
    title: "A connection to another process refuses what is too large, closes once, and then refuses everything",
    why: "What holds with both ends in one process must hold with the kernel in between.",
    typicalMs: 100,
    sharesPeer: true,
    needs: [hasEventFace, ownProcess, replies],
    async run(context) {
      const client = await context.connect(await context.startPeer());
      const { connection } = client;
      const { maxMessageBytes } = context.transport.capabilities;
      await expectCode("send above the limit", ["IPC_TOO_LARGE"], () =>
        connection.send(new Uint8Array(maxMessageBytes + 1)),
      );
      await expectEcho("reply", client, pattern(30, 1));
      await within("close", Promise.all([connection.close(), connection.close()]));
      const error = await within("onClose", client.closed);
      expect(error === undefined, `an orderly close was reported as ${String(error)}`);
      await expectCode("send after close", ["IPC_CLOSED"], () => connection.send(pattern(30, 1)));
    },
  },
  {
    id: "lifecycle/server-close",
    title: "Closing the server closes every connection and removes what it created",
    why: "The next server can use the same address only when this one has removed everything.",
    needs: [inOneProcess],
    async run(context) {
      const atServer = new Recorder("the server");
      const atClient = new Recorder("the client");
      const address = await context.allocate();
      const server = await within("listen", eventFace(context).listen(address, atServer));
      await within("connect", eventFace(context).connect(server.address, atClient));
      const { connects, patterns } = context.transport.capabilities;
      // If every message is a call, the server notices a client only by its first call.
      if (connects === "checked" && patterns.includes("one-way")) {
        await atServer.until("the newcomer", () => atServer.connections.length > 0);
      }
      await within("close of the server", server.close());
      if (context.transport.capabilities.peerLoss !== "undetected") {
        await atClient.until("onClose", () => atClient.closings.length > 0);
      }
      await within("close of the client", Promise.all(atClient.connections.map((connection) => connection.close())));
      await expectNoResidue(context, server.address);
      expect(atClient.closings.length === 1, `onClose was called ${atClient.closings.length} times`);
      const again = await within("listen again", eventFace(context).listen(server.address, atServer));
      await within("close of the second server", again.close());
    },
  },
];
