import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, existsSync, fchmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isIpcError } from "../contract/errors.ts";
import { systemName } from "../testing/system-names.ts";
import { errnoName, type SystemErrorCause } from "./errno.ts";
import { eventfd, MappedFile, Mapping, MessageQueue, posixAvailability, Semaphore, SharedMemory } from "./index.ts";
import { bindPath, unixSocket } from "./unix-socket.ts";

const NOBODY = 65_534;
const FIXTURE = join(import.meta.dirname, "testing", "full-disk.ts");
const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
const prefix = systemName();

/** Kind of object with a name, as the wrapper offers it. */
interface Kind {
  readonly title: string;
  name(text: string): string;
  create(name: string): Disposable;
  open(name: string): Disposable;
  unlink(name: string): boolean;
  /** Takes all permissions from it. */
  forbid(name: string, object: Disposable): void;
}

const KINDS: readonly Kind[] = [
  {
    title: "MessageQueue",
    name: (text) => `/${prefix}-${text}`,
    create: (name) => MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 }),
    open: (name) => MessageQueue.open(name),
    unlink: (name) => MessageQueue.unlink(name),
    forbid: (_name, object) => fchmodSync((object as MessageQueue).fd, 0),
  },
  {
    title: "SharedMemory",
    name: (text) => `/${prefix}-${text}`,
    create: (name) => SharedMemory.create(name, 64),
    open: (name) => SharedMemory.open(name),
    unlink: (name) => SharedMemory.unlink(name),
    forbid: (_name, object) => fchmodSync((object as SharedMemory).fd, 0),
  },
  {
    title: "Semaphore",
    name: (text) => `/${prefix}-${text}`,
    create: (name) => Semaphore.create(name),
    open: (name) => Semaphore.open(name),
    unlink: (name) => Semaphore.unlink(name),
    forbid: (name) => chmodSync(`/dev/shm/sem.${name.slice(1)}`, 0),
  },
  {
    title: "MappedFile",
    name: (text) => join(directory, text),
    create: (name) => MappedFile.create(name, 64),
    open: (name) => MappedFile.open(name),
    unlink: (name) => MappedFile.unlink(name),
    forbid: (_name, object) => fchmodSync((object as MappedFile).fd, 0),
  },
];

/** Expects code, errno, the number behind it and the remedy, and that no descriptor is left open. */
function expectRefused(run: () => unknown, code: string, errno: string, remedy: RegExp): void {
  const before = readdirSync("/proc/self/fd").length;
  let seen: unknown;
  try {
    run();
  } catch (error) {
    seen = error;
  }
  if (!isIpcError(seen)) throw new Error(`expected an IpcError, saw ${String(seen)}`);
  expect([seen.code, seen.errno]).toEqual([code, errno]);
  expect(seen.message).toMatch(remedy);
  // Issue 7: errors of the wrapper itself had no number.
  expect(errnoName(Math.abs((seen.cause as SystemErrorCause).errno))).toBe(errno);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
}

/** Runs as an account that is not root, because root may open everything. */
function unprivileged(run: () => void): void {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

const leftovers = (): string[] => [
  ...readdirSync("/dev/shm").filter((name) => name.includes(prefix)),
  ...readdirSync(directory),
];

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!posixAvailability().available).each(KINDS)("bad input: $title", (kind) => {
  const isPath = kind.title === "MappedFile";

  it("a taken name is refused, and what has it stays as it is", () => {
    const name = kind.name("taken");
    const first = kind.create(name);
    expectRefused(() => kind.create(name), "IPC_ADDRESS_IN_USE", "EEXIST", /choose another, or unlink it/);
    kind.open(name)[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(kind.unlink(name)).toBe(true);
    expect(leftovers()).toEqual([]);
  });

  it("a missing name is refused, and none is made", () => {
    expectRefused(() => kind.open(kind.name("missing")), "IPC_PEER_LOST", "ENOENT", /nothing has that name/);
    expect(kind.unlink(kind.name("missing"))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it.skipIf(isPath)("a name without its slash, with two of them, or with nothing behind it is refused", () => {
    for (const name of [`${prefix}-bare`, `/${prefix}/deep`, "/", "", "/.."]) {
      for (const call of [kind.create, kind.open, kind.unlink]) {
        expectRefused(() => call(name), "IPC_SYSTEM", "EINVAL", /one leading slash and no other/);
      }
    }
    expect(leftovers()).toEqual([]);
  });

  it("an over-long name is refused with the limit", () => {
    const name = kind.name("x".repeat(300));
    const remedy = isPath ? /at most 255 bytes/ : /the system allows 255: shorten it/;
    for (const call of [kind.create, kind.open]) expectRefused(() => call(name), "IPC_SYSTEM", "ENAMETOOLONG", remedy);
    expect(leftovers()).toEqual([]);
  });

  it("permission denied names the account that would be allowed", () => {
    const name = kind.name("forbidden");
    const object = kind.create(name);
    try {
      kind.forbid(name, object);
      let failure: unknown;
      unprivileged(() => {
        try {
          kind.open(name)[Symbol.dispose]();
        } catch (error) {
          failure = error;
        }
      });
      expectRefused(
        () => {
          if (failure !== undefined) throw failure;
        },
        "IPC_SYSTEM",
        "EACCES",
        /permission denied.*use the account that created it/,
      );
    } finally {
      object[Symbol.dispose]();
      expect(kind.unlink(name)).toBe(true);
    }
    expect(leftovers()).toEqual([]);
  });
});

describe.skipIf(!posixAvailability().available)("bad sizes", () => {
  it("nothing, less than nothing, parts of a byte: refused, and no name is left", () => {
    const [name, path] = [`/${prefix}-size`, join(directory, "size")];
    for (const bytes of [0, -1, 1.5, Number.NaN]) {
      expectRefused(() => SharedMemory.create(name, bytes), "IPC_SYSTEM", "EINVAL", /give at least 1 byte/);
      expectRefused(() => MappedFile.create(path, bytes), "IPC_SYSTEM", "EINVAL", /give at least 1 byte/);
      for (const shape of [{ maxMessageBytes: bytes }, { maxMessages: bytes }]) {
        expectRefused(() => MessageQueue.create(name, shape), "IPC_SYSTEM", "EINVAL", /outside the limits.*raise/);
      }
    }
    for (const shape of [{ maxMessageBytes: 2 ** 32 + 64 }, { maxMessages: 2 ** 32 + 1 }]) {
      expectRefused(() => MessageQueue.create(name, shape), "IPC_SYSTEM", "EINVAL", /outside the limits.*raise/);
    }
    expectRefused(() => Semaphore.create(name, 2 ** 31), "IPC_SYSTEM", "EINVAL", /0 to 2147483647/);
    expect(MessageQueue.unlink(name)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  // Issue 7: one binding threw a TypeError, the other took another number.
  it("what does not fit the C function's parameter is refused before a binding makes another number of it", () => {
    for (const count of [-1, 2 ** 32, 1.5, Number.NaN]) {
      expectRefused(() => eventfd(count), "IPC_SYSTEM", "EINVAL", /whole number from 0 to 4294967295/);
    }
    closeSync(eventfd(2 ** 32 - 1));
    const name = `/${prefix}-huge`;
    expectRefused(() => SharedMemory.create(name, 2 ** 63), "IPC_SYSTEM", "EINVAL", /whole number below 2\^53/);
    expectRefused(() => Mapping.anonymous(2 ** 32), "IPC_SYSTEM", "EINVAL", /whole number from 1 to/);
    expect(leftovers()).toEqual([]);
  });

  it("a path that no socket can have is refused with what is wrong about it", () => {
    const fd = unixSocket("datagram");
    const bind = (path: string) => () => bindPath(fd, path);
    expectRefused(bind(join(directory, "a\0b")), "IPC_SYSTEM", "EINVAL", /zero byte inside.*leave it out/);
    expectRefused(bind(""), "IPC_SYSTEM", "EINVAL", /is empty/);
    expectRefused(bind(join(directory, "x".repeat(108))), "IPC_SYSTEM", "ENAMETOOLONG", /1 to 107.*shorter directory/);
    closeSync(fd);
  });

  it("a message that a queue cannot hold is refused with the number", () => {
    using queue = MessageQueue.create(`/${prefix}-small`, { maxMessages: 1, maxMessageBytes: 8 });
    MessageQueue.unlink(queue.name);
    expectRefused(() => queue.send(Buffer.alloc(9), 0), "IPC_TOO_LARGE", "EMSGSIZE", /9 bytes exceed its limit of 8/);
  });

  it("more than the limit of the user: the numbers, ulimit -q, and no queue is left", () => {
    const script = `
      const { MessageQueue } = await import(${JSON.stringify(join(import.meta.dirname, "index.ts"))});
      const shape = { maxMessages: 8, maxMessageBytes: 4096 };
      try { MessageQueue.create("/${prefix}-quota", shape); } catch ({ code, errno, message }) {
        console.log(JSON.stringify({ code, errno, message, left: MessageQueue.unlink("/${prefix}-quota") }));
      }`;
    const node = [process.execPath, "--input-type=module", "-e", script];
    const limited = ["prlimit", "--msgqueue=20000", ...node];
    const { stdout, error } = spawnSync(limited[0] as string, limited.slice(1), { encoding: "utf8", timeout: 20_000 });
    if (error !== undefined) return expect(existsSync("/usr/bin/prlimit")).toBe(false);
    expect(JSON.parse(stdout)).toEqual({
      code: "IPC_SHORTAGE",
      errno: "EMFILE",
      message: expect.stringMatching(/may use 20000 bytes.*needs about 33792.*ulimit -q/),
      left: false,
    });
  });

  it("a full /dev/shm: no space, how to enlarge it, and nothing is left of any kind", ({ skip }) => {
    // A tiny /dev/shm in a namespace of its own.
    const full = 'mount -t tmpfs -o size=64k none /dev/shm && exec "$@"';
    const node = [process.execPath, FIXTURE];
    const run = spawnSync("unshare", ["-rm", "sh", "-c", full, "sh", ...node], { encoding: "utf8", timeout: 20_000 });
    if (run.status !== 0 && run.stdout === "") skip(`no namespace of mounts here: ${run.stderr}`);
    const message = expect.stringMatching(/\/dev\/shm has 0 B free of 64 KiB: .*remount,size=1G/);
    const refused = { code: "IPC_SHORTAGE", errno: "ENOSPC", message };
    expect(JSON.parse(run.stdout)).toEqual({
      SharedMemory: refused,
      Semaphore: refused,
      MappedFile: refused,
      left: ["ballast"],
      descriptors: 0,
    });
  });
});

it("on macOS and Windows the wrapper states that it supports Linux, and which system this is", async () => {
  for (const platform of ["darwin", "win32"]) {
    const script = `
      Object.defineProperty(process, "platform", { value: "${platform}" });
      const { posixAvailability, SharedMemory } =
      await import(${JSON.stringify(join(import.meta.dirname, "index.ts"))});
      let thrown;
      try { SharedMemory.create("/${prefix}", 64); } catch ({ code, message }) { thrown = { code, message }; }
      console.log(JSON.stringify({ ...posixAvailability(), thrown }));`;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 20_000,
    });
    const reason = `the POSIX wrapper supports Linux; this is ${platform}`;
    const thrown = { code: "IPC_UNSUPPORTED", message: reason };
    expect(JSON.parse(run.stdout)).toEqual({ available: false, reason, thrown });
  }
});
