import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Address, BlockingConnection } from "../contract/transport.ts";
import type { KillOrder } from "./killer.ts";
import { kill, ServerBench, type Subject } from "./server-bench.ts";

const KILLER = join(import.meta.dirname, "killer.ts");

/** Longest time until a waiting client notices that its server was killed, beside the lateness of the machine. */
const LOSS_MS = 100;

export interface BlockingSubject extends Subject {
  /** True: skips cases that were tested with a sibling that differs only in how it waits. */
  readonly essentials?: boolean;
}

/** Tests the promises of every blocking face, against a server in another process. */
export function blockingCases(subject: BlockingSubject): void {
  const { modulePath, exportName, transport, essentials = false } = subject;
  const blocking = transport.blocking;
  if (blocking === undefined) throw new Error(`${transport.id} has no blocking face`);
  const { maxMessageBytes, maxClients } = transport.capabilities;
  const largest = Math.min(maxMessageBytes, 4 * 1024 * 1024);
  const bench = new ServerBench(subject, "blocking-echo-server.ts");
  const connections: BlockingConnection[] = [];

  afterAll(() => bench.end());
  afterEach(async () => {
    for (const connection of connections.splice(0)) connection[Symbol.dispose]();
    await bench.clear();
  });

  function connect(address: Address): BlockingConnection {
    const connection = (blocking as NonNullable<typeof blocking>).connect(address, 5000);
    connections.push(connection);
    return connection;
  }

  describe(`${transport.id}, blocking, between processes`, () => {
    it("echoes messages of every size, empty ones too, bytes unchanged and in order", async () => {
      const address = await bench.fresh();
      await bench.serve(address);
      const client = connect(address);
      const into = new Uint8Array(largest);
      for (const length of [0, 1, 3, 16, 80, 255, 257, 4096, 65_536, largest]) {
        if (length > largest) continue;
        const message = randomBytes(length);
        sendAll(client, message);
        expect(receiveOne(client, into)).toBe(length);
        expect(Buffer.compare(message, into.subarray(0, length))).toBe(0);
      }
      for (let i = 0; i < 2000; i++) {
        const message = Buffer.from(`message ${i}`);
        sendAll(client, message);
        expect(receiveOne(client, into)).toBe(message.length);
        if (Buffer.compare(message, into.subarray(0, message.length)) !== 0) throw new Error(`message ${i} is wrong`);
      }
      expect(() => client.send(new Uint8Array(maxMessageBytes + 1), 0)).toThrow(
        expect.objectContaining({ code: "IPC_TOO_LARGE" }),
      );
    });

    // Retried: nothing can measure here how late the machine woke this thread. A wait that is too long always is.
    it.skipIf(essentials)(
      "waits as long as it was asked to and no longer, then goes on working",
      {
        retry: 2,
      },
      async () => {
        const address = await bench.fresh();
        await bench.serve(address);
        const client = connect(address);
        const into = new Uint8Array(largest);
        for (const timeoutMs of [0, 1, 30, 120]) {
          const startMs = performance.now();
          expect(client.receive(into, timeoutMs)).toBe(-1);
          expect(performance.now() - startMs).toBeGreaterThanOrEqual(timeoutMs - 2);
          expect(performance.now() - startMs).toBeLessThan(timeoutMs + 500);
        }
        sendAll(client, Buffer.from("x"));
        expect(receiveOne(client, into)).toBe(1);
      },
    );

    it.skipIf(essentials)(
      "pushes back on a server that does not read, and loses nothing",
      async () => {
        const address = await bench.fresh();
        const child = await bench.serve(address);
        const client = connect(address);
        const into = new Uint8Array(largest);
        sendAll(client, Buffer.from("x"));
        receiveOne(client, into);
        child.kill("SIGSTOP");
        const message = new Uint8Array(Math.min(largest, 60_000));
        let taken = 0;
        for (; taken < 10_000; taken++) {
          message[0] = taken;
          if (!client.send(message, 20)) break;
        }
        expect(taken).toBeGreaterThan(0);
        expect(taken).toBeLessThan(10_000);
        child.kill("SIGCONT");
        for (let i = 0; i < taken; i++) {
          expect(receiveOne(client, into)).toBe(message.length);
          expect(into[0]).toBe(i & 255);
        }
      },
      30_000,
    );

    // Retried: on a busy machine one thread may be late when another is not. A slow client fails every time.
    it(`a waiting client learns within ${LOSS_MS} ms that its server was killed; the address is usable again at once`, {
      retry: 2,
    }, async () => {
      const address = await bench.fresh();
      const child = await bench.serve(address);
      const client = connect(address);
      const into = new Uint8Array(largest);
      sendAll(client, Buffer.from("x"));
      receiveOne(client, into);
      // Another thread kills while this one is asleep in `receive`.
      const clock = new Float64Array(new SharedArrayBuffer(16));
      const order: KillOrder = { pid: child.pid as number, afterMs: 200, clock };
      const killer = new Worker(KILLER, { workerData: order });
      let seen: unknown;
      const endMs = performance.now() + 5000;
      while (seen === undefined && performance.now() < endMs) {
        try {
          client.receive(into, 100);
        } catch (error) {
          seen = error;
        }
      }
      const seenMs = performance.timeOrigin + performance.now();
      const [killedMs, latenessMs] = clock as unknown as [number, number];
      killer.postMessage("enough");
      await once(killer, "exit");
      expect(seen).toMatchObject({ code: "IPC_PEER_LOST" });
      expect(killedMs).toBeGreaterThan(0);
      expect(seenMs - killedMs).toBeLessThan(LOSS_MS + latenessMs);
      expect(() => client.send(Buffer.from("x"), 0)).toThrow(expect.objectContaining({ code: "IPC_PEER_LOST" }));
      await bench.serve(address);
      const again = connect(address);
      sendAll(again, Buffer.from("y"));
      expect(receiveOne(again, into)).toBe(1);
    });

    it.skipIf(essentials)("an orderly end of the server ends its clients, and leaves nothing behind", async () => {
      const address = await bench.fresh();
      const child = await bench.serve(address);
      const client = connect(address);
      sendAll(client, Buffer.from("quit"));
      const into = new Uint8Array(largest);
      expect(() => receiveOne(client, into)).toThrow(expect.objectContaining({ code: "IPC_PEER_LOST" }));
      if (child.exitCode === null) await once(child, "exit");
      expect(child.exitCode).toBe(0);
      client[Symbol.dispose]();
      expect(await transport.residue(address)).toEqual([]);
      expect(() => client.receive(into, 0)).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
    });

    it.skipIf(essentials)("refuses to connect where nobody listens, and to listen where somebody does", async () => {
      const address = await bench.fresh();
      expect(() => blocking.connect(address, 200)).toThrow(expect.objectContaining({ code: "IPC_PEER_LOST" }));
      await bench.serve(address);
      expect(() => blocking.listen(address)).toThrow(expect.objectContaining({ code: "IPC_ADDRESS_IN_USE" }));
      const client = connect(address);
      sendAll(client, Buffer.from("still there"));
      expect(receiveOne(client, new Uint8Array(largest))).toBe(11);
    });

    it.skipIf(essentials || maxClients < 2)(
      "serves several clients, each with its own replies, and gets over one that is killed",
      async () => {
        const address = await bench.fresh();
        await bench.serve(address);
        const script = victimScript(modulePath, exportName, address);
        const victim = await bench.start("--input-type=module", "-e", script);
        const all = Array.from({ length: Math.min(maxClients, 4) - 1 }, () => connect(address));
        const into = new Uint8Array(largest);
        for (let round = 0; round < 50; round++) {
          if (round === 10) await kill(victim);
          for (const [i, client] of all.entries()) sendAll(client, Buffer.from(`${i}/${round}`));
          all.forEach((client, i) => {
            const length = receiveOne(client, into);
            expect(Buffer.from(into.subarray(0, length)).toString()).toBe(`${i}/${round}`);
          });
        }
        // Places of ended clients become free: opens more connections, one after the other, than there are places.
        for (let i = 0; i < Math.min(maxClients, 40) + 3; i++) {
          const client = blocking.connect(address, 5000);
          sendAll(client, Buffer.from("z"));
          expect(receiveOne(client, into)).toBe(1);
          client[Symbol.dispose]();
        }
      },
    );
  });
}

/** Script of a client that has messages under way all the time, until it is killed. */
function victimScript(modulePath: string, exportName: string, address: Address): string {
  return `
    import { writeSync } from "node:fs";
    const { ${exportName}: transport } = await import(${JSON.stringify(modulePath)});
    const client = transport.blocking.connect(${JSON.stringify(address)}, 5000);
    const message = new Uint8Array(500), into = new Uint8Array(transport.capabilities.maxMessageBytes);
    const parent = process.ppid;
    for (let i = 0; process.ppid === parent; i++) {
      client.send(message, 100);
      client.receive(into, 100);
      if (i === 10) writeSync(1, "busy\\n");
    }`;
}

function sendAll(connection: BlockingConnection, message: Uint8Array): void {
  const endMs = performance.now() + 10_000;
  while (!connection.send(message, 100)) if (performance.now() > endMs) throw new Error("send: no room for 10 s");
}

function receiveOne(connection: BlockingConnection, into: Uint8Array): number {
  const endMs = performance.now() + 10_000;
  for (;;) {
    const length = connection.receive(into, 100);
    if (length >= 0) return length;
    if (performance.now() > endMs) throw new Error("receive: nothing for 10 s");
  }
}
