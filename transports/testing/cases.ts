/** Claims that every mechanism with an address must keep, across processes; each family's tests add their own. */
import { lstat, writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Place, Transport } from "../contract/transport.ts";
import {
  Collector,
  connectCollector,
  makePlace,
  pattern,
  roundTrip,
  type ServerProcess,
  startServer,
} from "./harness.ts";

export interface Subject {
  readonly transport: Transport;
  readonly moduleUrl: URL;
  readonly exportName: string;
}

export function describeAddressTransport({ transport, moduleUrl, exportName }: Subject): void {
  const { id, capabilities } = transport;
  describe(`${id} across processes`, () => {
    let place: Place & AsyncDisposable;
    const started: ServerProcess[] = [];
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown): void => void rejections.push(reason);

    const start = async (address = undefined as Awaited<ReturnType<Transport["allocate"]>> | undefined) => {
      const server = await startServer(moduleUrl, exportName, address ?? (await transport.allocate(place)));
      started.push(server);
      return server;
    };
    const client = (server: ServerProcess) => connectCollector(transport, server.address);

    beforeAll(async () => {
      place = await makePlace();
      process.on("unhandledRejection", onRejection);
    });
    afterEach(async () => {
      for (const server of started.splice(0)) {
        if (server.child.exitCode === null && server.child.signalCode === null) await server.kill();
        await transport.sweep(server.address);
        expect(await transport.residue(server.address)).toEqual([]);
      }
      expect(rejections).toEqual([]);
    });
    afterAll(async () => {
      process.off("unhandledRejection", onRejection);
      await place[Symbol.asyncDispose]();
    });

    test("messages of 1 byte to 1 MiB come back unchanged, and both ends part in order", async () => {
      const server = await start();
      for (const { kind, mode } of await transport.residue(server.address)) {
        if (kind === "path") expect(mode).toBe(0o600);
      }
      const { connection, collector } = await client(server);
      for (const bytes of [1, 16, 80, 129, 4096, 65_552, 1024 * 1024]) {
        const message = pattern(bytes, bytes);
        const reply = await roundTrip(connection, collector, message);
        expect(reply.equals(message)).toBe(true);
      }
      await connection.close();
      expect(await collector.closed).toBeUndefined();
      expect(collector.closes).toBe(1);
      expect(() => connection.send(pattern(8))).toThrow(expect.objectContaining({ code: "IPC_CLOSED" }));
      expect(await server.stop()).toBe(0);
      expect(await transport.residue(server.address)).toEqual([]);
    });

    test("the buffer may be overwritten as soon as send has returned", async () => {
      const server = await start();
      const { connection, collector } = await client(server);
      const burst = Math.min(8, capabilities.maxInFlight);
      const scratch = Buffer.alloc(70_000);
      for (let i = 0; i < burst; i++) {
        scratch.set(pattern(scratch.length, i + 1));
        while (!connection.send(scratch)) {
          const before = collector.writable;
          await collector.until("room for more", () => collector.writable > before);
        }
        scratch.fill(0xff);
      }
      await collector.count(burst);
      const expected = Array.from({ length: burst }, (_, i) => pattern(scratch.length, i + 1).toString("latin1"));
      const seen = collector.messages.map((message) => message.toString("latin1"));
      if (capabilities.ordering === "none") {
        expected.sort();
        seen.sort();
      }
      expect(seen).toEqual(expected);
      await connection.close();
    });

    test("a message above the limit is refused with IPC_TOO_LARGE, and the connection goes on", async () => {
      const server = await start();
      const { connection, collector } = await client(server);
      const huge = Buffer.alloc(capabilities.maxMessageBytes + 1);
      expect(() => connection.send(huge)).toThrow(expect.objectContaining({ code: "IPC_TOO_LARGE" }));
      expect((await roundTrip(connection, collector, pattern(64))).equals(pattern(64))).toBe(true);
      await connection.close();
    });

    test("a killed server is noticed as claimed, and its address can be used again", async () => {
      const server = await start();
      const { connection, collector } = await client(server);
      await roundTrip(connection, collector, pattern(64));
      await server.kill();
      if (capabilities.peerLoss !== "undetected") {
        // Some libraries notice at once, others with the next request.
        try {
          connection.send(pattern(64));
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^IPC_(CLOSED|PEER_LOST)$/) });
        }
        // An end of stream between messages is all that some protocols show of a death: no error then.
        expect((await collector.closed)?.code ?? "IPC_PEER_LOST").toBe("IPC_PEER_LOST");
      }
      const successor = await start(server.address);
      if (capabilities.peerLoss === "undetected") {
        const message = pattern(64, 7);
        connection.send(message);
        await collector.until("a reply of the successor", () =>
          collector.messages.some((reply) => reply.equals(message)),
        );
      } else {
        const again = await client(successor);
        expect((await roundTrip(again.connection, again.collector, pattern(64, 7))).equals(pattern(64, 7))).toBe(true);
        await again.connection.close();
      }
      await connection.close();
      expect(await successor.stop()).toBe(0);
    });

    if (capabilities.connects === "checked") {
      test("connecting where nobody listens fails with IPC_PEER_LOST", async () => {
        const address = await transport.allocate(place);
        await expect(connectCollector(transport, address)).rejects.toMatchObject({ code: "IPC_PEER_LOST" });
      });
    }

    test("an aborted signal ends listen and connect with IPC_ABORTED", async () => {
      const address = await transport.allocate(place);
      const signal = AbortSignal.abort();
      await expect(transport.event?.listen(address, new Collector(), { signal })).rejects.toMatchObject({
        code: "IPC_ABORTED",
      });
      await expect(transport.event?.connect(address, new Collector(), { signal })).rejects.toMatchObject({
        code: "IPC_ABORTED",
      });
    });

    test("a live server is never evicted, nor is a file that is not a socket", async () => {
      const server = await start();
      await expect(transport.event?.listen(server.address, new Collector())).rejects.toMatchObject({
        code: "IPC_ADDRESS_IN_USE",
      });
      const { connection, collector } = await client(server);
      await roundTrip(connection, collector, pattern(64));
      await connection.close();
      if (!server.address.name.startsWith("/")) return;
      const file = await transport.allocate(place);
      await writeFile(file.name, "precious");
      await expect(transport.event?.listen(file, new Collector())).rejects.toMatchObject({
        code: "IPC_ADDRESS_IN_USE",
      });
      expect((await lstat(file.name)).isFile()).toBe(true);
      await transport.sweep(file);
    });

    test("a stranger's bytes neither end the server nor disturb a client", async () => {
      const server = await start();
      const { connection, collector } = await client(server);
      for (const bytes of [Buffer.alloc(64, 0xff), Buffer.from("GET / HTTP/9.9\r\n\r\n\r\n"), pattern(4096, 99)]) {
        const rawClient = await transport.connectRaw?.(server.address);
        await rawClient?.write(bytes).catch(() => undefined);
        await rawClient?.[Symbol.asyncDispose]();
      }
      expect((await roundTrip(connection, collector, pattern(64))).equals(pattern(64))).toBe(true);
      await connection.close();
      expect(await server.stop()).toBe(0);
    });

    test("200 connections opened and closed leave nothing behind", async () => {
      const server = await start();
      const descriptors = await countDescriptors(server.child.pid);
      for (let i = 0; i < 200; i++) {
        const { connection, collector } = await client(server);
        await roundTrip(connection, collector, pattern(32, i));
        await connection.close();
      }
      await expect.poll(() => countDescriptors(server.child.pid), { timeout: 5000 }).toBeLessThan(descriptors + 20);
    });
  });
}

async function countDescriptors(pid: number | undefined): Promise<number> {
  const { readdir } = await import("node:fs/promises");
  return (await readdir(`/proc/${pid}/fd`)).length;
}
