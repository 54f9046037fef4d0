import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Connection, ConnectionHandler, Transport } from "../contract/transport.ts";
import { REGISTRY } from "../registry.ts";
import { bridgeBlocking } from "./blocking-bridge.ts";

const ID = "shm/futex";
const modulePath = join(import.meta.dirname, "..", "shared-memory", "shared-memory.ts");

const CLIENT = `
  import { shmFutex } from ${JSON.stringify(modulePath)};
  const client = shmFutex.blocking.connect(JSON.parse(process.argv[1]), 5000);
  const into = new Uint8Array(1000);
  for (let i = 0; i < 300; i++) {
    client.send(Buffer.from("message " + i), 5000);
    const length = client.receive(into, 5000);
    if (Buffer.from(into.subarray(0, length)).toString() !== "MESSAGE " + i) process.exit(3);
  }
  if (process.argv[2] === "stay") for (;;) client.receive(into, 100);
  client[Symbol.dispose]();
`;

describe.skipIf(process.platform !== "linux")("the bridge from a blocking face to events", () => {
  for (const ending of ["leaves", "is killed"]) {
    it(`opens, answers and closes for a client that ${ending}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
      const transport = (await REGISTRY.find(({ id }) => id === ID)?.load()) as Transport;
      const address = await transport.allocate({ directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` });
      const seen: string[] = [];
      let answered = 0;
      const isClosed = Promise.withResolvers<void>();
      const isAnswered = Promise.withResolvers<void>();
      const handler: ConnectionHandler = {
        onOpen: () => void seen.push("open"),
        onMessage(message, connection: Connection) {
          connection.send(Buffer.from(Buffer.from(message).toString().toUpperCase()));
          if (++answered === 300) isAnswered.resolve();
        },
        onWritable() {},
        onClose(_connection, error) {
          seen.push(error === undefined ? "closed" : `lost: ${error.code}`);
          isClosed.resolve();
        },
      };
      const server = await bridgeBlocking(transport).listen(address, handler);
      const child: ChildProcess = spawn(
        process.execPath,
        ["--input-type=module", "-e", CLIENT, JSON.stringify(address), ending === "leaves" ? "go" : "stay"],
        { stdio: ["ignore", "inherit", "inherit"], timeout: 20_000 },
      );
      const exited = once(child, "exit");
      try {
        await isAnswered.promise;
        if (ending === "is killed") child.kill("SIGKILL");
        await isClosed.promise;
        const [code, signal] = (await exited) as [number | null, string | null];
        expect([code, signal]).toEqual(ending === "leaves" ? [0, null] : [null, "SIGKILL"]);
        expect(seen).toEqual(["open", ending === "leaves" ? "closed" : "lost: IPC_PEER_LOST"]);
      } finally {
        child.kill("SIGKILL");
        await server.close();
        rmSync(directory, { recursive: true });
      }
      expect(await transport.residue(address)).toEqual([]);
    });
  }
});
