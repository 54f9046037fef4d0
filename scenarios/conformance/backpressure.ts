import { setTimeout as delay } from "node:timers/promises";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type { Check } from "../check.ts";
import {
  canFreeze,
  hasEventFace,
  inOneProcess,
  oneWay,
  ownProcess,
  pipelined,
  pushesBack,
  reliable,
  replies,
} from "../kit/conditions.ts";
import { expect, expectSame, within } from "../kit/expect.ts";
import { numberOf, pattern } from "../kit/messages.ts";
import { ENOUGH_BYTES, fill, sendAll, WATCH_MS, withPair } from "../kit/one-process.ts";
import { expectEcho } from "../kit/peer.ts";
import { echoing, Recorder } from "../kit/recorder.ts";

/** Checks that a slow receiver slows its sender down, and costs neither unlimited memory nor messages. */
export const backpressure: readonly Check[] = [
  {
    id: "backpressure/refuses-then-calls",
    title: "When there is no room, send returns false and takes nothing; onWritable follows",
    why: "Without it the memory of the sender grows until the machine kills it, or a refused message is sent twice.",
    timeoutMs: 30_000,
    typicalMs: 225,
    needs: [inOneProcess, oneWay, reliable, pushesBack, pipelined],
    run(context) {
      const atServer = new Recorder("the server");
      atServer.keeps = false;
      let wrong: string | undefined;
      const ordered = context.transport.capabilities.ordering === "fifo";
      atServer.whenOpen = (connection) => connection.pause();
      atServer.whenMessage = (message) => {
        const number = numberOf(message);
        const due = atServer.received - 1;
        if (ordered && number !== due) wrong ??= `message ${number} came as number ${due}`;
      };
      return withPair(context, atServer, async ({ client, atClient }) => {
        const bytes = Math.min(65_536, context.transport.capabilities.maxMessageBytes);
        const taken = await fill(atClient, client, bytes);
        context.note("takenBeforeRefusalBytes", taken * bytes);
        const before = atClient.writables;
        for (const connection of atServer.connections) connection.resume();
        await atClient.until("onWritable after a send that returned false", () => atClient.writables > before);
        await atServer.until(`all ${taken} messages taken`, () => atServer.received >= taken);
        await delay(WATCH_MS);
        expect(atServer.received === taken, `${taken} messages were taken and ${atServer.received} arrived`);
        expect(wrong === undefined, wrong ?? "");
      });
    },
  },
  {
    id: "backpressure/pause",
    title: "After pause at most one more message comes; after resume all the others do",
    why: "A receiver that pauses has no room; further messages are lost or queued without end.",
    typicalMs: 120,
    needs: [inOneProcess, oneWay, reliable, pipelined],
    run(context) {
      const count = 100;
      const atServer = new Recorder("the server");
      let pausedAt = -1;
      atServer.whenMessage = (_, connection) => {
        if (pausedAt >= 0) return;
        pausedAt = atServer.received;
        connection.pause();
      };
      return withPair(context, atServer, async ({ client, atClient }) => {
        const sent = Array.from({ length: count }, (_, index) => pattern(40, index));
        const sending = sendAll(atClient, client, sent);
        sending.catch(() => undefined);
        await atServer.until("the first message", () => pausedAt >= 0);
        await delay(WATCH_MS);
        const extra = atServer.received - pausedAt;
        expect(extra <= 1, `${extra} messages came after pause()`);
        for (const connection of atServer.connections) connection.resume();
        await sending;
        await atServer.until(`all ${count} messages`, () => atServer.received >= count);
        if (context.transport.capabilities.ordering === "none") return;
        for (const [index, message] of sent.entries())
          expectSame(`message ${index}`, atServer.messages[index], message);
      });
    },
  },
  {
    id: "backpressure/pause-on-open",
    title: "A server that pauses in onOpen gets at most one message until it resumes",
    why: "A server at its limit accepts a client and reads it later.",
    typicalMs: 110,
    needs: [inOneProcess, oneWay, reliable, pipelined],
    run(context) {
      const atServer = new Recorder("the server");
      atServer.whenOpen = (connection) => connection.pause();
      return withPair(context, atServer, async ({ client, atClient }) => {
        const sending = sendAll(
          atClient,
          client,
          Array.from({ length: 20 }, (_, index) => pattern(40, index)),
        );
        sending.catch(() => undefined);
        await delay(WATCH_MS);
        expect(atServer.received <= 1, `${atServer.received} messages came although onOpen paused`);
        for (const connection of atServer.connections) connection.resume();
        await sending;
        await atServer.until("all 20 messages", () => atServer.received >= 20);
        expectSame("message 19", atServer.messages[19], pattern(40, 19));
      });
    },
  },
  {
    id: "backpressure/pause-and-resume-at-once",
    title: "pause and resume within one onMessage lose nothing and do not re-enter it",
    why: "Flow control toggles on every message under load; recursion there overflows the stack.",
    typicalMs: 40,
    needs: [inOneProcess, oneWay, reliable, pipelined],
    run(context) {
      const count = 200;
      const atServer = new Recorder("the server");
      let depth = 0;
      let deepest = 0;
      atServer.whenMessage = (_, connection) => {
        depth += 1;
        deepest = Math.max(deepest, depth);
        connection.pause();
        connection.resume();
        depth -= 1;
      };
      return withPair(context, atServer, async ({ client, atClient }) => {
        await sendAll(
          atClient,
          client,
          Array.from({ length: count }, (_, index) => pattern(64, index)),
        );
        await atServer.until(`all ${count} messages`, () => atServer.received >= count);
        expect(deepest === 1, "onMessage was called from inside resume()");
        if (context.transport.capabilities.ordering === "none") return;
        for (let index = 0; index < count; index += 1) {
          expectSame(`message ${index}`, atServer.messages[index], pattern(64, index));
        }
      });
    },
  },
  {
    id: "backpressure/echo-under-load",
    title: "An echo that pauses instead of queueing returns every byte of a load larger than all buffers",
    why: "When both directions are full at once, a transport that reads or writes too eagerly deadlocks.",
    timeoutMs: 30_000,
    typicalMs: 250,
    needs: [inOneProcess, replies, oneWay, reliable, pipelined],
    run: (context) =>
      withPair(context, echoing(new Recorder("the server")), async ({ client, atClient }) => {
        const bytes = Math.min(65_536, context.transport.capabilities.maxMessageBytes);
        const count = Math.min(300, Math.max(100, Math.floor((16 * 1024 * 1024) / bytes)));
        await sendAll(
          atClient,
          client,
          (function* () {
            for (let index = 0; index < count; index += 1) yield pattern(bytes, index);
          })(),
        );
        await atClient.until(`${count} echoes`, () => atClient.received >= count);
        if (context.transport.capabilities.ordering === "none") return;
        for (const index of [0, 1, count >> 1, count - 1]) {
          expectSame(`echo ${index}`, atClient.messages[index], pattern(bytes, index));
        }
      }),
  },
  {
    id: "backpressure/frozen-server",
    title: "A server process that hangs makes its client wait, and both go on when it wakes",
    why: "A stopped or swapped-out process is the commonest slow receiver; memory must not grow for it.",
    timeoutMs: 30_000,
    typicalMs: 325,
    needs: [hasEventFace, ownProcess, canFreeze, replies, oneWay, reliable, pushesBack],
    async run(context) {
      const peer = await context.startPeer();
      const client = await context.connect(peer);
      const body = pattern(Math.min(65_000, context.transport.capabilities.maxMessageBytes - HEADER_BYTES), 1);
      await client.oneWay(body);
      await peer.freeze();
      let sent = 0;
      let waiting: Promise<void> | undefined;
      while (waiting === undefined && sent * body.length < ENOUGH_BYTES) {
        const sending = client.oneWay(body);
        sending.catch(() => undefined);
        sent += 1;
        const stuck = await Promise.race([sending.then(() => false), delay(WATCH_MS, true)]);
        if (stuck) waiting = sending;
      }
      peer.thaw();
      expect(waiting !== undefined, `${sent} messages of ${body.length} bytes were taken by a stopped process`);
      await within("the message that waited", waiting);
      await expectEcho("reply after the pause", client, pattern(9, 2));
      await within("close", client.close());
    },
  },
];
