import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { blockingCases } from "../testing/blocking-cases.ts";
import { unix } from "./unix.ts";
import { unixBlocking } from "./unix-blocking.ts";

/** Checks in each turn of the event loop; the test's own time limit ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe.skipIf(process.platform !== "linux")("unix in blocking mode", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };

  blockingCases({
    modulePath: join(import.meta.dirname, "unix.ts"),
    exportName: "unix",
    transport: unix,
  });

  it("a blocking client and the event server understand each other", async () => {
    const address = await unix.allocate(place);
    const server = await unix.event?.listen(address, {
      onOpen() {},
      onMessage: (message, connection) => void connection.send(message),
      onWritable() {},
      onClose() {},
    });
    const script = `
      import { unixBlocking } from ${JSON.stringify(join(import.meta.dirname, "unix-blocking.ts"))};
      const client = unixBlocking.connect(JSON.parse(process.argv[1]), 5000);
      const into = new Uint8Array(300000);
      for (const length of [0, 1, 5, 70000, 200000, 3]) {
        const message = new Uint8Array(length).fill(length & 255);
        while (!client.send(message, 100));
        let got = -1;
        for (let i = 0; got < 0 && i < 50; i++) got = client.receive(into, 100);
        if (got !== length || into.subarray(0, got).some((byte) => byte !== (length & 255))) process.exit(4);
      }
      client[Symbol.dispose]();`;
    const args = ["--input-type=module", "-e", script, JSON.stringify(address)];
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, args, { stdio: "inherit", timeout: 20_000 });
    expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(0);
    await server?.close();
  });

  it("bytes that arrive one by one, and messages that arrive together, come out as they were sent", async () => {
    const address = await unix.allocate(place);
    const server = unixBlocking.listen(address);
    const socket = createConnection(address.name);
    const into = new Uint8Array(100);
    const first = Buffer.from([3, 0, 0, 0, 7, 8, 9]);
    const both = Buffer.concat([first, Buffer.from([0, 0, 0, 0]), first]);
    const lengths: number[] = [];
    try {
      for (const chunk of [...Array.from(first, (_, i) => first.subarray(i, i + 1)), both]) {
        await new Promise<void>((resolve) => socket.write(chunk, () => resolve()));
        for (let length = server.receive(into, 0); length >= 0; length = server.receive(into, 0)) lengths.push(length);
      }
      for (let length = server.receive(into, 60); length >= 0; length = server.receive(into, 60)) lengths.push(length);
      expect(lengths).toEqual([3, 3, 0, 3]);
      expect([...into.subarray(0, 3)]).toEqual([7, 8, 9]);
      // A length above the limit ends this client only.
      await new Promise<void>((resolve) => socket.write(Buffer.from([255, 255, 255, 255]), () => resolve()));
      expect(server.receive(into, 60)).toBe(-1);
      await new Promise((resolve) => socket.once("close", resolve).resume());
    } finally {
      socket.destroy();
      server[Symbol.dispose]();
    }
    expect(await unix.residue(address)).toEqual([]);
  });

  it("the rest of a reply that a slow client had no room for follows while the server waits", async () => {
    const address = await unix.allocate(place);
    const server = unixBlocking.listen(address);
    const socket = createConnection(address.name).pause();
    const reply = new Uint8Array(4 * 1024 * 1024).fill(7);
    const into = new Uint8Array(100);
    try {
      socket.write(Buffer.from([1, 0, 0, 0, 9]));
      await until(() => server.receive(into, 0) === 1);
      expect(server.from?.send(reply, 0)).toBe(true);
      let received = 0;
      socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
      });
      socket.resume();
      await until(() => {
        expect(server.receive(into, 1)).toBe(-1);
        return received === reply.length + 4;
      });
    } finally {
      socket.destroy();
      server[Symbol.dispose]();
    }
  });

  it("what a client sent before it left arrives, although a reply to it cannot; then it is forgotten", async () => {
    const address = await unix.allocate(place);
    const server = unixBlocking.listen(address) as ReturnType<typeof unixBlocking.listen> & { connections: unknown[] };
    const socket = createConnection(address.name);
    const into = new Uint8Array(100);
    try {
      await new Promise<void>((resolve) => socket.write(Buffer.from([1, 0, 0, 0, 9]), () => resolve()));
      await until(() => server.receive(into, 0) === 1);
      await new Promise<void>((resolve) => socket.write(Buffer.from([2, 0, 0, 0, 9, 9]), () => resolve()));
      const gone = new Promise((resolve) => socket.once("close", resolve));
      socket.destroy();
      await gone;
      expect(() => server.from?.send(into, 0)).toThrow(expect.objectContaining({ code: "IPC_PEER_LOST" }));
      expect(server.receive(into, 60)).toBe(2);
      expect(server.connections).toHaveLength(1);
      expect(server.receive(into, 60)).toBe(-1);
      expect(server.connections).toHaveLength(0);
    } finally {
      server[Symbol.dispose]();
    }
  });

  it("never removes what is not a stale socket", async () => {
    const address = await unix.allocate(place);
    writeFileSync(address.name, "mine");
    expect(() => unixBlocking.listen(address)).toThrow(expect.objectContaining({ code: "IPC_ADDRESS_IN_USE" }));
    expect(execFileSync("cat", [address.name], { encoding: "utf8" })).toBe("mine");
  });
});
