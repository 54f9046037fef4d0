import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { MessageQueue } from "../posix/message-queue.ts";
import { winnersOf } from "../testing/racing-servers.ts";
import { systemName } from "../testing/system-names.ts";
import { posixMqNotify } from "./notify.ts";
import { budget, posixMq } from "./posix-mq.ts";
import { Kind, namesOf, VERSION } from "./protocol.ts";

const OURS = { maxMessages: budget.requestDepth, maxMessageBytes: budget.messageBytes };
const HANDLER = { onOpen() {}, onMessage() {}, onWritable() {}, onClose() {} };

describe.skipIf(process.platform !== "linux")("claiming the name of a queue", () => {
  const name = `/${systemName()}`;
  const address = { transport: "posix-mq", name };
  afterEach(() => {
    for (const each of namesOf(name)) MessageQueue.unlink(each);
  });

  // Issue 7: in one round of 25, and of 5 with notification, two servers won.
  it("of servers that take over one stale name in the same moment exactly one wins", async () => {
    const contest = { exportName: "posixMq", face: "blocking", address, rounds: 50 } as const;
    const modulePath = join(import.meta.dirname, "posix-mq.ts");
    const winners = await winnersOf({ ...contest, modulePath }, () => MessageQueue.create(name, OURS).close());
    expect(winners).toEqual(Array.from({ length: contest.rounds }, () => 1));
  });

  // Issue 7: the queue was unlinked with its message.
  it.each([
    ["of another size", { maxMessages: 2, maxMessageBytes: 32 }],
    ["of our own size", OURS],
  ])("somebody else's queue %s that holds messages is left as it is", async (_title, shape) => {
    using queue = MessageQueue.create(name, shape);
    queue.send(Buffer.from("precious"), 0, 3);
    queue.send(Buffer.from("gold"), 0, 3);
    const refusal = { code: "IPC_ADDRESS_IN_USE", errno: "EADDRINUSE", cause: { code: "EADDRINUSE" } };
    const sentence = /is taken: a queue that no server of ours.*choose another name or remove it/;
    expect(() => posixMq.blocking?.listen(address)).toThrow(
      expect.objectContaining({ ...refusal, cause: expect.objectContaining(refusal.cause) }),
    );
    expect(() => posixMq.blocking?.listen(address)).toThrow(sentence);
    await expect(posixMqNotify.event?.listen(address, HANDLER)).rejects.toMatchObject(refusal);
    using again = MessageQueue.open(name);
    const into = Buffer.alloc(shape.maxMessageBytes);
    const read = (): string => into.toString("latin1", 0, again.receive(into, 0));
    expect([read(), again.lastPriority, read(), again.lastPriority]).toEqual(["precious", 3, "gold", 3]);
  });

  it("what a killed server left is taken over with the requests that nobody answered", () => {
    const hello = Buffer.alloc(8);
    hello.set([Kind.hello, VERSION]);
    const data = Buffer.alloc(40);
    data.set([Kind.data, VERSION]);
    using stale = MessageQueue.create(name, OURS);
    for (const message of [hello, data]) stale.send(message, 0);
    using server = posixMq.blocking?.listen(address);
    expect(server?.receive(new Uint8Array(budget.messageBytes), 0)).toBe(-1);
  });

  it("a live server is named as such, with the way out", () => {
    using _server = posixMq.blocking?.listen(address);
    expect(() => posixMq.blocking?.listen(address)).toThrow(/is taken: a server is listening there; stop it first/);
  });
});
