import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { BlockingConnection } from "../contract/transport.ts";
import { shmSemaphore } from "./shared-memory.ts";

const folder = import.meta.dirname;
const ECHO_SERVER = join(folder, "../support/testing/blocking-echo-server.ts");
const QUIET = "--disable-warning=ExperimentalWarning";

/** Takes every wake-up meant for the server from its semaphore, until it is killed with some of them taken. */
const THIEF = `
  import { writeSync } from "node:fs";
  const { Semaphore } = await import(${JSON.stringify(join(folder, "../posix/semaphore.ts"))});
  const semaphore = Semaphore.open(process.argv[1]);
  const parent = process.ppid;
  for (let taken = 0; process.ppid === parent; ) if (semaphore.wait(100) && ++taken === 3) writeSync(1, "taken\\n");`;

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = (await once(child.stdout as NodeJS.EventEmitter, "data")) as [Buffer];
  return line.toString();
}

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

it.skipIf(process.platform !== "linux")(
  "a semaphore left taken by a killed process does not lock out the survivors",
  async () => {
    const address = await shmSemaphore.allocate({
      directory: "/",
      prefix: `ipcmark-${randomBytes(8).toString("hex")}`,
    });
    const start = (...args: string[]): ChildProcess =>
      spawn(process.execPath, [QUIET, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const server = start(ECHO_SERVER, join(folder, "shared-memory.ts"), "shmSemaphore", JSON.stringify(address));
    const children = [server];
    try {
      expect(await firstLine(server)).toBe("listening\n");
      const connect = (): BlockingConnection => shmSemaphore.blocking?.connect(address, 5000) as BlockingConnection;
      const first = connect();
      const thief = start("--input-type=module", "-e", THIEF, address.name);
      children.push(thief);
      const stolen = firstLine(thief);
      let robbed = false;
      void stolen.then(() => {
        robbed = true;
      });
      // While it steals, the server misses wake-ups and looks by itself when a slice of its wait is over.
      const endMs = performance.now() + 15_000;
      for (let i = 0; !robbed && performance.now() < endMs; i++) {
        expect(exchange(first, `robbed ${i}`)).toBe(`robbed ${i}`);
        await new Promise(setImmediate);
      }
      expect(robbed, "the thief got hold of three wake-ups").toBe(true);
      expect(await stolen).toBe("taken\n");
      const ended = once(thief, "exit");
      thief.kill("SIGKILL");
      await ended;
      const second = connect();
      for (let i = 0; i < 100; i++) {
        expect(exchange(first, `first ${i}`)).toBe(`first ${i}`);
        expect(exchange(second, `second ${i}`)).toBe(`second ${i}`);
      }
      first[Symbol.dispose]();
      second[Symbol.dispose]();
    } finally {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
      await shmSemaphore.sweep(address);
      expect(await shmSemaphore.residue(address)).toEqual([]);
    }
  },
  30_000,
);
