import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { UNBOUNDED_MESSAGE_BYTES } from "../../transports/contract/capabilities.ts";
import { HEADER_BYTES } from "../../transports/contract/frame.ts";
import type { Check, Descriptor } from "../check.ts";
import { Method, NotApplicable } from "../check.ts";
import { hasMethods, ownProcess, replies } from "../kit/conditions.ts";
import { expectCode, expectSame } from "../kit/expect.ts";
import { pattern } from "../kit/messages.ts";
import { expectEcho } from "../kit/peer.ts";

const MIB = 1024 * 1024;
/** Sizes around 1 MiB, a common limit, and 16 MiB. */
const SIZES = [MIB - 1, MIB, MIB + 1, 16 * MIB];
const TIMEOUT_MS = 30_000;

export const largeMessages: Check = {
  id: "large-messages",
  title: "1 MiB, 16 MiB and the limit arrive whole; one byte more is refused with an error and breaks nothing",
  why: "The first large message comes in production, and an unstated limit truncates or hangs.",
  sharesPeer: true,
  timeoutMs: 60_000,
  typicalMs: 1700,
  needs: [replies],
  async run(context) {
    const { maxMessageBytes } = context.transport.capabilities;
    const limit = maxMessageBytes - HEADER_BYTES;
    const client = await context.connect(await context.startPeer());
    // At 64 MiB, a test with a byte less finds nothing more than one with 16 MiB, and takes a second.
    const bounded = maxMessageBytes < UNBOUNDED_MESSAGE_BYTES;
    const sizes = [...SIZES.filter((size) => size < limit - 1), ...(bounded ? [limit - 1] : []), limit];
    for (const size of sizes) {
      const body = pattern(size, size);
      await expectEcho(`${size} bytes`, client, body, { timeoutMs: TIMEOUT_MS });
    }
    const above = client.request(pattern(limit + 1, 3), { timeoutMs: TIMEOUT_MS });
    await expectCode(`a message of ${maxMessageBytes + 1} bytes`, ["IPC_TOO_LARGE"], () => above);
    await expectEcho("the request after the refusal", client, pattern(8, 4));
    context.note("largestBytes", maxMessageBytes);
  },
};

const DATA_BYTES = 16 * MIB;
const REPLY_MARGIN_BYTES = 32;

export const largeByDescriptor: Check = {
  id: "large-by-descriptor",
  title: "16 MiB, too large for a message, pass through memory that both sides reach; a small message names it",
  why: "A mechanism for small messages can still hand over large data, by a descriptor of a file.",
  timeoutMs: 30_000,
  typicalMs: 350,
  needs: [
    replies,
    ownProcess,
    hasMethods,
    ({ maxMessageBytes }) =>
      maxMessageBytes < DATA_BYTES + HEADER_BYTES ||
      "its messages can hold 16 MiB, and this check is about messages that cannot",
  ],
  async run(context) {
    const client = await context.connect(await context.startPeer());
    const data = pattern(DATA_BYTES, 5);
    const path = join(context.place.directory, "large");
    writeFileSync(path, data, { mode: 0o600, flag: "wx" });
    const described: Descriptor = { path, bytes: data.length, checksum: crc32(data) };
    const request = Buffer.from(JSON.stringify(described));
    // The path in the reply is longer than the path in the request.
    const needed = HEADER_BYTES + request.length + REPLY_MARGIN_BYTES;
    const { maxMessageBytes } = context.transport.capabilities;
    if (needed > maxMessageBytes) {
      throw new NotApplicable(`a descriptor takes ${needed} bytes here, and a message has ${maxMessageBytes} at most`);
    }
    const reply = await client.request(request, {
      method: Method.descriptor,
      timeoutMs: TIMEOUT_MS,
    });
    const echo = JSON.parse(Buffer.from(reply).toString()) as Descriptor;
    expectSame("the data behind the reply's descriptor", readFileSync(echo.path), data);
    unlinkSync(path);
    unlinkSync(echo.path);
    const gone = client.request(request, { method: Method.descriptor });
    await expectCode("a descriptor of data that is gone", undefined, () => gone);
    context.note("bytes", DATA_BYTES);
  },
};
