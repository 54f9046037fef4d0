import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Address, Connection, Server, Transport } from "../contract/transport.ts";
import { Collector, connectCollector, makePlace, pattern } from "../testing/harness.ts";
import { runPython, withoutPython } from "../testing/independent.ts";
import { zeromqDealerRouter, zeromqPubSub, zeromqReqRep, zeromqTcp } from "./zeromq.ts";

const COUNT = 300;
const BODY = pattern(20_000);
const PAUSE_MS = 300;

/** Runs the body with a server and one client of it. */
async function withBoth(
  transport: Transport,
  body: (both: Record<"atServer" | "atClient", Collector> & { server: Server; client: Connection }) => Promise<void>,
): Promise<void> {
  await using place = await makePlace();
  const atServer = new Collector();
  const server = (await transport.event?.listen(await transport.allocate(place), atServer)) as Server;
  const { connection: client, collector: atClient } = await connectCollector(transport, server.address);
  try {
    await body({ atServer, atClient, server, client });
  } finally {
    await client.close(100).catch(() => undefined);
    await server.close();
  }
}

async function sendAll(connection: Connection, collector: Collector): Promise<void> {
  for (let sent = 0; sent < COUNT; ) {
    const before = collector.writable;
    if (connection.send(BODY)) sent++;
    else await collector.until("room", () => collector.writable > before);
  }
}

describe.each([zeromqDealerRouter, zeromqTcp, zeromqPubSub])("$id", (transport) => {
  test.each(["client", "server"] as const)("close at the %s waits for a slow reader", async (side) => {
    await withBoth(transport, async ({ atServer, atClient, client, server }) => {
      await atServer.until("the client", () => atServer.connections.length > 0);
      const accepted = atServer.connections[0] as Connection;
      const [sender, atSender, reader, atReader] =
        side === "client" ? [client, atClient, accepted, atServer] : [accepted, atServer, client, atClient];
      const sending = sendAll(sender, atSender);
      await atReader.count(1);
      reader.pause();
      void delay(PAUSE_MS).then(() => reader.resume());
      await sending;
      await (side === "client" ? client : server).close();
      expect(atReader.messages.length).toBe(COUNT);
    });
  });

  test("close rejects with IPC_TIMEOUT at a reader that stays away", async () => {
    await withBoth(transport, async ({ atServer, client }) => {
      await atServer.until("the client", () => atServer.connections.length > 0);
      atServer.connections[0]?.pause();
      for (let sent = 0; sent < 5; sent++) client.send(BODY);
      await expect(client.close(200)).rejects.toMatchObject({ code: "IPC_TIMEOUT" });
      atServer.connections[0]?.resume();
    });
  });

  test("both ends may close at once", async () => {
    await withBoth(transport, async ({ atServer, atClient, client }) => {
      await atServer.until("the client", () => atServer.connections.length > 0);
      const accepted = atServer.connections[0] as Connection;
      expect([client.send(BODY), accepted.send(BODY)]).toEqual([true, true]);
      await Promise.all([client.close(), accepted.close()]);
      expect([atServer.closes, atClient.closes]).toEqual([1, 1]);
    });
  });
});

test("a lockstep client that got its last reply closes without asking, and one that did not asks", async () => {
  await withBoth(zeromqReqRep, async ({ atServer, atClient, client }) => {
    client.send(BODY);
    await atServer.count(1);
    atServer.connections[0]?.send(BODY);
    await atClient.count(1);
    client.send(BODY);
    await client.close();
    expect(atServer.messages.length).toBe(2);
  });
});

test("a server that is not ours is not asked when the address says so", async () => {
  await using place = await makePlace();
  const address: Address = { ...(await zeromqDealerRouter.allocate(place)), options: { confirms: false } };
  const { connection } = await connectCollector(zeromqDealerRouter, address);
  connection.send(BODY);
  await connection.close();
});

const reason = withoutPython("zmq", "python3-zmq");

test.skipIf(reason)("what a client of another program sent before it left reaches a server that pauses", async () => {
  await withBoth(zeromqDealerRouter, async ({ atServer, server }) => {
    const program = `
import sys, zmq
c = zmq.Context(); s = c.socket(zmq.DEALER); s.linger = 5000; s.connect(sys.argv[1])
for n in range(50): s.send(bytes([n]) * 100)
s.close(); c.term()`;
    const onOpen = atServer.onOpen.bind(atServer);
    atServer.onOpen = (connection) => {
      connection.pause();
      onOpen(connection);
    };
    await runPython(program, `ipc://${server.address.name}`);
    expect(atServer.messages.length).toBe(0);
    for (const connection of atServer.connections) connection.resume();
    await atServer.count(50);
    await atServer.until("its end", () => atServer.closes > 0);
  });
});
