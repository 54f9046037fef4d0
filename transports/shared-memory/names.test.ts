import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Address, BlockingTransport, Transport } from "../contract/transport.ts";
import { tryLockExclusive } from "../posix/lock.ts";
import { Semaphore } from "../posix/semaphore.ts";
import { SharedMemory } from "../posix/shared-memory.ts";
import type { SteppedTransport } from "../support/polled-event.ts";
import { makePlace } from "../testing/harness.ts";
import type { RingKind } from "./kind.ts";
import { Control } from "./layout.ts";
import { RingServer } from "./server.ts";
import { mmapFutex, mmapSemaphore, shmFutex, shmSemaphore } from "./shared-memory.ts";
import { sharedMemoryStore } from "./store.ts";
import { WAIT_KINDS } from "./waits.ts";

const MODULE = join(import.meta.dirname, "shared-memory.ts");
const TAKEN = { code: "IPC_ADDRESS_IN_USE", errno: "EADDRINUSE" };
const into = new Uint8Array(64);
const blocking = (transport: Transport): BlockingTransport => transport.blocking as BlockingTransport;
const shown = (name: string): string => `/dev/shm/${name.slice(1)}`;

function newAddress(): Address {
  return { transport: "shm/futex", name: `/ipcmark-${randomBytes(8).toString("hex")}-names` };
}

/** Runs lines of JavaScript in a process of their own with the transports and `name`; returns what they print. */
function elsewhere(name: string, script: string): string {
  const head = `import { writeSync } from "node:fs"; const name = ${JSON.stringify(name)};
    const say = (text) => writeSync(1, String(text));
    const { shmFutex, mmapFutex } = await import(${JSON.stringify(MODULE)});
    await shmFutex.probe();`;
  const args = ["--input-type=module", "-e", `${head}\n${script}`];
  const run = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  if (run.status !== 0 && run.signal !== "SIGKILL") throw new Error(run.stderr);
  return run.stdout;
}

const LISTEN = `
  try { shmFutex.blocking.listen({ transport: "shm/futex", name }); say("won"); }
  catch (error) { say(error.code + " " + error.message); }`;
const KILLED = `shmFutex.blocking.listen({ transport: "shm/futex", name }); process.kill(process.pid, "SIGKILL");`;

// Issue 7: a listen destroyed what belonged to others, and two servers won one address.
describe.skipIf(process.platform !== "linux")("names of the rings", () => {
  const objects: (() => void)[] = [];
  afterEach(() => {
    for (const remove of objects.splice(0)) remove();
  });

  function foreign(name: string, bytes: number, firstWord: number): void {
    const segment = SharedMemory.create(name, bytes);
    segment.mapping.words[0] = firstWord;
    segment.close();
    objects.push(() => SharedMemory.unlink(name));
  }

  it("while a server takes a stale name over, no other process can", () => {
    const address = newAddress();
    elsewhere(address.name, KILLED);
    expect(sharedMemoryStore.inspect(address.name)).toBeDefined();
    const others: string[] = [];
    let creations = 0;
    const store: RingKind["store"] = {
      ...sharedMemoryStore,
      // The stale segment is gone and ours is not there yet: a newcomer now must wait for us.
      create(name, bytes) {
        if (++creations === 2) others.push(elsewhere(name, LISTEN));
        return sharedMemoryStore.create(name, bytes);
      },
    };
    const kind: RingKind = { id: "shm/futex", store, wait: WAIT_KINDS.futex, maxClients: 32, ringBytes: 4096 };
    const server = new RingServer(kind, address);
    expect(others).toEqual([expect.stringMatching(/^IPC_ADDRESS_IN_USE .*another server has been starting/)]);
    expect(elsewhere(address.name, LISTEN)).toMatch(/^IPC_ADDRESS_IN_USE .*a server is listening .*; stop it first/);
    server.close();
    expect(sharedMemoryStore.inspect(address.name)).toBeUndefined();
  }, 30_000);

  it("a server whose name was swept and taken by another removes nothing of the other's when it closes", async () => {
    const address = newAddress();
    const first = blocking(shmFutex).listen(address);
    await shmFutex.sweep(address);
    const second = blocking(shmFutex).listen(address);
    first[Symbol.dispose]();
    expect(await shmFutex.residue(address)).toHaveLength(1);
    second[Symbol.dispose]();
    expect(await shmFutex.residue(address)).toEqual([]);
  });

  it("a foreign semaphore refuses the server and stays, and so does that of a server elsewhere", async () => {
    const { name } = newAddress();
    const semaphore = Semaphore.create(name, 3);
    objects.push(() => Semaphore.unlink(name));
    expect(() => blocking(shmSemaphore).listen({ transport: "shm/semaphore", name })).toThrow(
      expect.objectContaining({
        ...TAKEN,
        message: expect.stringMatching(/choose another name or unlink it yourself/),
      }),
    );
    expect(existsSync(`/dev/shm/sem.${name.slice(1)}`)).toBe(true);
    expect(sharedMemoryStore.inspect(name)).toBeUndefined();
    semaphore.close();
    await using place = await makePlace();
    const address = await mmapSemaphore.allocate(place);
    mkdirSync(join(place.directory, "other"));
    const server = blocking(mmapSemaphore).listen(address);
    const before = await mmapSemaphore.residue(address);
    const same = address.name.replace(place.directory, join(place.directory, "other"));
    try {
      blocking(mmapSemaphore)
        .listen({ ...address, name: same })
        [Symbol.dispose]();
    } catch (error) {
      expect(error).toMatchObject(TAKEN);
    }
    expect(await mmapSemaphore.residue(address)).toEqual(before);
    server[Symbol.dispose]();
    expect(await mmapSemaphore.residue(address)).toEqual([]);
  });

  it("segments of somebody else stay: at the address, whatever is in them, and at the names of unused slots", () => {
    for (const [bytes, firstWord] of [
      [8192, 77],
      [8192, 0],
      [Control.bytes, 0],
    ] as const) {
      const address = newAddress();
      foreign(address.name, bytes, firstWord);
      expect(() => blocking(shmFutex).listen(address)).toThrow(
        expect.objectContaining({ ...TAKEN, message: expect.stringMatching(/not ours .*remove it yourself/) }),
      );
      expect(sharedMemoryStore.inspect(address.name)).toBeDefined();
    }
    const address = newAddress();
    for (const [slot, firstWord] of [0, 77].entries()) foreign(`${address.name}-${slot}`, 8192, firstWord);
    blocking(shmFutex).listen(address)[Symbol.dispose]();
    for (const slot of [0, 1])
      expect(sharedMemoryStore.inspect(`${address.name}-${slot}`), `slot ${slot}`).toBeDefined();
  });

  it("a segment of another user is not called a stranger's: EACCES", async () => {
    const address = newAddress();
    const script = `if (process.getuid() === 0) process.setuid(65534);
      try { shmFutex.blocking.listen({ transport: "shm/futex", name }); say("won"); }
      catch (error) { say(error.code + " " + error.errno + " " + error.message); }`;
    foreign(address.name, 4096, 77);
    chmodSync(shown(address.name), 0);
    expect(elsewhere(address.name, script)).toMatch(/^IPC_SYSTEM EACCES .*use the account that created it/);
  });

  it("names that leave no room for those of the clients are refused when listening, and nothing is left", async () => {
    await using place = await makePlace();
    const long = (head: string, bytes: number): string => head + "z".repeat(bytes - head.length);
    const { name } = newAddress();
    for (const [transport, address, fits] of [
      [shmFutex, long(name, 254), long(name, 253)],
      [shmSemaphore, long(name, 250), long(name, 249)],
      [mmapFutex, join(place.directory, long("f", 253)), join(place.directory, long("f", 252))],
    ] as const) {
      const { id } = transport;
      expect(() => blocking(transport).listen({ transport: id, name: address })).toThrow(
        expect.objectContaining({
          code: "IPC_SYSTEM",
          errno: "ENAMETOOLONG",
          message: expect.stringContaining("shorten it"),
        }),
      );
      blocking(transport).listen({ transport: id, name: fits })[Symbol.dispose]();
      expect(await transport.residue({ transport: id, name: fits })).toEqual([]);
    }
  });

  it("a server that has made its segment but not sized it is waited for, and taken over once it is dead", async () => {
    const address = newAddress();
    const fd = openSync(shown(address.name), "wx", 0o600);
    expect(tryLockExclusive(fd)).toBe(true);
    expect(() => blocking(shmFutex).connect(address, 100)).toThrow(
      expect.objectContaining({ code: "IPC_TIMEOUT", message: expect.stringContaining("has not finished starting") }),
    );
    const opening = (shmFutex.blocking as SteppedTransport).begin(address, 5000);
    expect(opening.step(0)).toBeUndefined();
    closeSync(fd);
    const server = blocking(shmFutex).listen(address);
    let client: ReturnType<typeof opening.step>;
    for (let i = 0; i < 100 && client === undefined; i++) {
      client = opening.step(0);
      server.receive(into, 0);
    }
    expect(client).toBeDefined();
    client?.[Symbol.dispose]();
    server[Symbol.dispose]();
    expect(await shmFutex.residue(address)).toEqual([]);
  });

  it("a server killed while it sets itself up leaves a name that the next one takes", () => {
    const address = newAddress();
    const segment = SharedMemory.create(address.name, Control.bytes);
    segment.mapping.words[Control.magicWord] = Control.begun;
    segment.close();
    blocking(shmFutex).listen(address)[Symbol.dispose]();
    expect(sharedMemoryStore.inspect(address.name)).toBeUndefined();
  });

  it("a directory at the name of a slot is no error of the server, and the slot is free again", () => {
    const address = newAddress();
    const server = blocking(shmFutex).listen(address);
    const control = SharedMemory.open(address.name);
    mkdirSync(shown(`${address.name}-0`));
    objects.push(() => rmdirSync(shown(`${address.name}-0`)));
    const slot = Control.firstSlotWord;
    Atomics.store(control.mapping.words, slot, (5 << 2) | 2);
    for (let i = 0; i < 3; i++) {
      Atomics.add(control.mapping.words, Control.arrivalsWord, 1);
      expect(server.receive(into, 0)).toBe(-1);
    }
    expect(control.mapping.words[slot]).toBe(0);
    control.close();
    server[Symbol.dispose]();
  });

  it("a file of somebody else at the path stays, also after a sweep", async () => {
    await using place = await makePlace();
    const address = await mmapFutex.allocate(place);
    writeFileSync(address.name, "precious");
    expect(() => blocking(mmapFutex).listen(address)).toThrow(expect.objectContaining(TAKEN));
    await mmapFutex.sweep(address);
    expect(existsSync(address.name)).toBe(true);
  });
});
