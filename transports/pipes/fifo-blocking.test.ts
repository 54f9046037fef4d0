import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Connection } from "../contract/transport.ts";
import { blockingCases } from "../testing/blocking-cases.ts";
import { fifo } from "./fifo.ts";
import { fifoBlocking } from "./fifo-blocking.ts";
import { fifoOnlyBlocking } from "./fixture/fifo-blocking.ts";

const FIXTURE = join(import.meta.dirname, "fixture", "fifo-blocking.ts");

describe.skipIf(process.platform !== "linux")("fifo in blocking mode", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };

  blockingCases({ modulePath: FIXTURE, exportName: "fifoOnlyBlocking", transport: fifoOnlyBlocking });

  it("an event client and a blocking server understand each other", async () => {
    const address = await fifo.allocate(place);
    const server = fifoBlocking.listen(address);
    const into = new Uint8Array(300_000);
    try {
      const replies: number[] = [];
      const opening = fifo.event?.connect(address, {
        onOpen() {},
        onMessage: (message) => void replies.push(message.length),
        onWritable() {},
        onClose() {},
      });
      let connection: Connection | undefined;
      void opening?.then((opened) => {
        connection = opened;
      });
      await until(() => server.receive(into, 0) >= 0 || connection !== undefined);
      for (const bytes of [0, 5, 40_000, 3]) {
        expect(connection?.send(new Uint8Array(bytes).fill(bytes))).toBe(true);
        let length = -1;
        await until(() => {
          length = server.receive(into, 0);
          return length >= 0;
        });
        expect(length).toBe(bytes);
        expect(server.from?.send(into.subarray(0, length), 1000)).toBe(true);
      }
      await until(() => replies.length === 4);
      expect(replies).toEqual([0, 5, 40_000, 3]);
      let isClosed = false;
      void connection?.close().then(() => {
        isClosed = true;
      });
      // A blocking server notices a client's end only while it receives.
      await until(() => server.receive(into, 0) < 0 && isClosed);
    } finally {
      server[Symbol.dispose]();
    }
    expect(await fifo.residue(address)).toEqual([]);
  });

  it("never removes what is not a stale FIFO", async () => {
    const address = await fifo.allocate(place);
    writeFileSync(address.name, "mine");
    expect(() => fifoBlocking.listen(address)).toThrow(expect.objectContaining({ code: "IPC_ADDRESS_IN_USE" }));
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("the condition did not hold within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
