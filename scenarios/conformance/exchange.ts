import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type { Check } from "../check.ts";
import { hasEventFace, inOneProcess, oneWay, pipelined, reliable, replies } from "../kit/conditions.ts";
import { expect, expectCode, expectSame, within } from "../kit/expect.ts";
import { largestTried, numberOf, pattern } from "../kit/messages.ts";
import { eventFace, sendAll, withPair, withServer } from "../kit/one-process.ts";
import { expectEcho } from "../kit/peer.ts";
import { echoing, Recorder } from "../kit/recorder.ts";

/** Sizes around which mechanisms may behave differently: empty, header, page, pipe, socket buffer. */
const SIZES = [0, 1, 3, 4, 15, 16, 17, 255, 256, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1_048_576];
/** Number of messages: more than a thousand, because rare faults are the ones that reach production. */
const BURST = 1200;
/** Bursts that reuse one buffer: what is written at once, collected, split, and sent from another buffer each time. */
const BURSTS: readonly { readonly count: number; readonly sizes: readonly number[] }[] = [
  { count: 50, sizes: [12] },
  { count: 30, sizes: [20_000] },
  { count: 8, sizes: [150_000] },
  { count: 3, sizes: [1_000_000] },
  { count: 40, sizes: [1, 5000, 30, 70_000, 300] },
];
const IN_FLIGHT_LIMIT_MS = 15_000;
const IN_FLIGHT = 400;

/** Checks that messages arrive whole, once, in order and unchanged. */
export const exchange: readonly Check[] = [
  {
    id: "exchange/boundaries",
    title: "A message of any size from 0 bytes to the limit arrives whole and unchanged",
    why: "Byte streams split and join messages; a size at which that goes wrong corrupts data, and only in production.",
    quick: true,
    typicalMs: 200,
    needs: [inOneProcess, replies, reliable],
    run: (context) =>
      withPair(context, echoing(new Recorder("the server")), async ({ client, atClient }) => {
        const limit = largestTried(context.transport.capabilities);
        const sizes = [...new Set([...SIZES, limit - 1, limit])].filter((bytes) => bytes <= limit);
        for (const [index, bytes] of sizes.entries()) {
          const message = pattern(bytes, index);
          await sendAll(atClient, client, [message]);
          await atClient.until(`the echo of ${bytes} bytes`, () => atClient.received > index);
          expectSame(`echo of ${bytes} bytes`, atClient.messages[index], message);
        }
      }),
  },
  {
    id: "exchange/too-large",
    title: "A message above the limit is refused with IPC_TOO_LARGE and harms nothing",
    why: "A cut or silently dropped message is found months later; a refused one is found by its author.",
    typicalMs: 30,
    needs: [inOneProcess, replies, reliable],
    run: (context) =>
      withPair(context, echoing(new Recorder("the server")), async ({ client, atClient }) => {
        const above = new Uint8Array(context.transport.capabilities.maxMessageBytes + 1);
        await expectCode(`send of ${above.length} bytes`, ["IPC_TOO_LARGE"], () => client.send(above));
        const message = pattern(40, 1);
        await sendAll(atClient, client, [message]);
        await atClient.until("an echo after the refusal", () => atClient.received > 0);
        expectSame("echo after the refusal", atClient.messages[0], message);
      }),
  },
  {
    id: "exchange/every-message-once",
    title: "Each of many messages arrives exactly once and, where promised, in order",
    why: "A lost, doubled or overtaking message is invisible to latency figures and fatal to a protocol.",
    quick: true,
    typicalMs: 400,
    needs: [inOneProcess, replies, reliable, pipelined],
    run(context) {
      const atServer = echoing(new Recorder("the server"));
      // Checked on both sides, since a fault that affects request and reply in the same way cancels itself out.
      atServer.keeps = true;
      return withPair(context, atServer, async ({ client, atClient }) => {
        const largest = Math.min(3000, largestTried(context.transport.capabilities));
        const sent = Array.from({ length: BURST }, (_, index) => pattern(4 + ((index * 37) % (largest - 3)), index));
        for (const [index, message] of sent.entries()) message.writeUInt32BE(index);
        await sendAll(atClient, client, sent);
        await atClient.until(`${BURST} echoes`, () => atClient.received >= BURST);
        for (const side of [atServer, atClient]) {
          const seen = side.messages.slice();
          if (context.transport.capabilities.ordering === "none") seen.sort((a, b) => numberOf(a) - numberOf(b));
          for (const [index, message] of sent.entries()) {
            expectSame(`${side.name}, message ${index}`, seen[index], message);
          }
          expect(seen.length === BURST, `${BURST} messages were sent and ${side.name} got ${seen.length}`);
        }
      });
    },
  },
  {
    id: "exchange/buffer-is-free",
    title: "After send the caller may overwrite the buffer at once",
    why: "Hot paths reuse one buffer; a transport that still reads it sends the bytes of the next message.",
    typicalMs: 60,
    needs: [inOneProcess, replies, reliable, pipelined],
    run: (context) =>
      withPair(context, echoing(new Recorder("the server")), async ({ client, atClient }) => {
        const limit = largestTried(context.transport.capabilities);
        const buffer = new Uint8Array(limit);
        for (const { count, sizes } of BURSTS) {
          const sent = Array.from({ length: count }, (_, at) => {
            return pattern(Math.min(sizes[at % sizes.length] ?? 0, limit), at);
          });
          const before = atClient.received;
          for (const message of sent) {
            buffer.set(message);
            await sendAll(atClient, client, [buffer.subarray(0, message.length)]);
            buffer.fill(0xff, 0, message.length);
          }
          const burst = `the burst of ${sizes.join(", ")} bytes`;
          await atClient.until(`${count} echoes of ${burst}`, () => atClient.received >= before + count);
          const seen = atClient.messages.slice(before, before + count);
          // Without an order each echo must still be one of them, and each of them must come once.
          if (context.transport.capabilities.ordering === "none")
            for (const all of [sent, seen]) all.sort(Buffer.compare);
          for (const [at, message] of sent.entries()) expectSame(`message ${at} of ${burst}`, seen[at], message);
        }
      }),
  },
  {
    id: "exchange/borrowed-is-a-copy",
    title: "A receiver that writes into a message does not change the sender's buffer",
    why: "Where both ends share memory, a missing copy lets one side edit what the other still holds.",
    needs: [inOneProcess, oneWay, reliable],
    run(context) {
      const atServer = new Recorder("the server");
      atServer.whenMessage = (message) => message.fill(0);
      return withPair(context, atServer, async ({ client, atClient }) => {
        const message = pattern(40, 5);
        await sendAll(atClient, client, [message]);
        await atServer.until("the message", () => atServer.received > 0);
        expectSame("the sender's own buffer", message, pattern(40, 5));
      });
    },
  },
  {
    id: "exchange/clients-apart",
    title: "Replies reach the client whose request they answer",
    why: "A server that mixes up two clients shows one user's data to another.",
    typicalMs: 50,
    needs: [inOneProcess, replies, reliable],
    async run(context) {
      const clients = Math.min(4, context.transport.capabilities.maxClients);
      await withServer(context, echoing(new Recorder("the server")), async (server) => {
        const sides = Array.from({ length: clients }, (_, index) => new Recorder(`client ${index}`));
        const connections = await within(
          "connect",
          Promise.all(sides.map((side) => eventFace(context).connect(server.address, side))),
        );
        for (let round = 0; round < 20; round += 1) {
          await Promise.all(
            sides.map(async (side, index) => {
              const connection = connections[index];
              expect(connection !== undefined, "a connection is missing");
              const message = pattern(64, round * clients + index);
              await sendAll(side, connection, [message]);
              await side.until("its reply", () => side.received > round);
              expectSame(`reply ${round} of client ${index}`, side.messages[round], message);
            }),
          );
        }
        await within("close", Promise.all(connections.map((connection) => connection.close())));
      });
    },
  },
  {
    id: "exchange/across-processes",
    title: "Requests of all sizes to another process come back unchanged",
    why: "Only two processes show what the kernel does between them.",
    quick: true,
    typicalMs: 500,
    sharesPeer: true,
    needs: [hasEventFace, replies, reliable],
    async run(context) {
      const peer = await context.startPeer();
      const client = await context.connect(peer);
      // The limit includes the header of the request.
      const limit = largestTried(context.transport.capabilities) - HEADER_BYTES;
      const sizes = [...new Set([...SIZES, limit])].filter((bytes) => bytes <= limit);
      for (const [index, bytes] of sizes.entries()) {
        const body = pattern(bytes, index);
        await expectEcho(`reply of ${bytes} bytes`, client, body);
      }
    },
  },
  {
    id: "exchange/requests-in-flight",
    title: "Each of many requests in flight to another process gets its own reply",
    why: "Pipelining gives throughput, and makes it possible to mix up replies.",
    typicalMs: 700,
    sharesPeer: true,
    needs: [hasEventFace, replies, reliable, pipelined],
    async run(context) {
      const client = await context.connect(await context.startPeer());
      const largest = Math.min(20_000, largestTried(context.transport.capabilities) - HEADER_BYTES);
      const bodies = Array.from({ length: IN_FLIGHT }, (_, index) => pattern((index * 997) % (largest + 1), index));
      // The last request waits for all others, so each may take as long as all together.
      const requests = bodies.map((body) => client.request(body, { timeoutMs: IN_FLIGHT_LIMIT_MS }));
      const seen = await within("the replies", Promise.all(requests), IN_FLIGHT_LIMIT_MS);
      for (const [index, body] of bodies.entries()) expectSame(`reply ${index}`, seen[index], body);
    },
  },
];
