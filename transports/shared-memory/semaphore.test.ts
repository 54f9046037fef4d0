import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { BlockingConnection } from "../contract/transport.ts";
import { kill, ServerBench } from "../testing/server-bench.ts";
import { shmSemaphore } from "./shared-memory.ts";

const folder = import.meta.dirname;

/** Takes every wake-up meant for the server from its semaphore, until it is killed with some of them taken. */
const THIEF = `
  import { writeSync } from "node:fs";
  const { Semaphore } = await import(${JSON.stringify(join(folder, "../posix/semaphore.ts"))});
  const semaphore = Semaphore.open(process.argv[1]);
  const parent = process.ppid;
  writeSync(1, "here\\n");
  for (let taken = 0; process.ppid === parent; ) if (semaphore.wait(100) && ++taken === 3) writeSync(1, "taken\\n");`;

function exchange(client: BlockingConnection, text: string): string {
  const into = Buffer.alloc(64);
  const endMs = performance.now() + 5000;
  if (!client.send(Buffer.from(text), 1000)) throw new Error("no room");
  while (performance.now() < endMs) {
    const length = client.receive(into, 100);
    if (length >= 0) return into.toString("latin1", 0, length);
  }
  throw new Error("no reply within 5 s");
}

describe.skipIf(process.platform !== "linux")("shm/semaphore", () => {
  const modulePath = join(folder, "shared-memory.ts");
  const bench = new ServerBench(
    { modulePath, exportName: "shmSemaphore", transport: shmSemaphore },
    "blocking-echo-server.ts",
  );
  afterEach(() => bench.clear());
  afterAll(() => bench.end());

  it("a semaphore left taken by a killed process does not lock out the survivors", async () => {
    const address = await bench.fresh();
    await bench.serve(address);
    const connect = (): BlockingConnection => shmSemaphore.blocking?.connect(address, 5000) as BlockingConnection;
    const first = connect();
    const thief = await bench.start("--input-type=module", "-e", THIEF, address.name);
    let robbed = false;
    thief.stdout?.once("data", () => {
      robbed = true;
    });
    // While it steals, the server misses wake-ups and checks on its own when a slice of its wait is over.
    const endMs = performance.now() + 15_000;
    for (let i = 0; !robbed && performance.now() < endMs; i++) {
      expect(exchange(first, `robbed ${i}`)).toBe(`robbed ${i}`);
      await new Promise(setImmediate);
    }
    expect(robbed, "the thief got hold of three wake-ups").toBe(true);
    await kill(thief);
    const second = connect();
    for (let i = 0; i < 100; i++) {
      expect(exchange(first, `first ${i}`)).toBe(`first ${i}`);
      expect(exchange(second, `second ${i}`)).toBe(`second ${i}`);
    }
    first[Symbol.dispose]();
    second[Symbol.dispose]();
  }, 30_000);
});
