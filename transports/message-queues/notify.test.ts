import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Address, Connection, ConnectionHandler } from "../contract/transport.ts";
import { MessageQueue } from "../posix/message-queue.ts";
import { eventCases } from "../testing/event-cases.ts";
import { posixMqNotify } from "./notify.ts";
import { budget } from "./posix-mq.ts";
import { firstWord, Kind, PREFIX_BYTES } from "./protocol.ts";

/** Messages of other programs and newcomers, which leave room for one honest message. */
const IN_THE_WAY: Readonly<Record<string, Uint8Array>> = {
  "a byte of garbage": Uint8Array.of(120),
  "an empty message": new Uint8Array(0),
  "hello of a client that is gone": prefix(Kind.hello, 3),
  "hello for a place that does not exist": prefix(Kind.hello, 60_000),
  "bye of nobody": prefix(Kind.bye, 0),
  "data of nobody": prefix(Kind.data, 65_535),
  "the largest message there may be": randomBytes(budget.messageBytes),
};

function prefix(kind: Kind, slot: number): Uint8Array {
  const bytes = new Uint8Array(PREFIX_BYTES);
  new DataView(bytes.buffer).setUint32(0, firstWord(kind, slot), true);
  return bytes;
}

describe.skipIf(process.platform !== "linux")("queues with notification", () => {
  const modulePath = join(import.meta.dirname, "notify.ts");
  eventCases({ modulePath, exportName: "posixMqNotify", transport: posixMqNotify, lossMs: 300 });

  afterEach(() => vi.useRealTimers());

  it.each(Object.entries(IN_THE_WAY))("a message behind %s is received without a heartbeat", async (_what, bytes) => {
    // No heartbeat runs: what is received, is received because the kernel gave notice.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const place = { directory: tmpdir(), prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
    const address: Address = await posixMqNotify.allocate(place);
    const atServer = new Inbox();
    const server = await posixMqNotify.event?.listen(address, atServer);
    const client = (await posixMqNotify.event?.connect(address, new Inbox())) as Connection;
    const queue = MessageQueue.open(address.name, { nonBlocking: true });
    try {
      client.send(Uint8Array.of(1));
      await atServer.until(1);
      for (let sent = 0; sent < budget.requestDepth - 1; sent++) expect(queue.send(bytes, 0)).toBe(true);
      expect(client.send(Uint8Array.of(2))).toBe(true);
      await atServer.until(2);
    } finally {
      queue.close();
      await client.close();
      await server?.close();
    }
    expect(await posixMqNotify.residue(address)).toEqual([]);
  });
});

class Inbox implements ConnectionHandler {
  #received = 0;

  onOpen(): void {}
  onMessage(): void {
    this.#received++;
  }
  onWritable(): void {}
  onClose(): void {}

  async until(received: number): Promise<void> {
    for (const endMs = performance.now() + 20_000; this.#received < received; ) {
      if (performance.now() > endMs) throw new Error(`message ${received} has not come`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
