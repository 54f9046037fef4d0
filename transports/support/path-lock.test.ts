import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { bindPath, unixSocket } from "../posix/unix-socket.ts";
import { lockResidue, sweepLocks, withPathLock } from "./path-lock.ts";
import { withPathLockSync } from "./path-lock-sync.ts";
import { MAX_SOCKET_PATH_BYTES } from "./socket-path-limit.ts";

const NOBODY = 65_534;
const IS_ROOT = process.getuid?.() === 0;
const CONTENDERS = 8;
const PROGRAM = fileURLToPath(new URL("../testing/lock-user.ts", import.meta.url));

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-test-"));
  path = join(directory, "server.sock");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function line(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [text] = await once(lines, "line", { signal: AbortSignal.timeout(80_000) });
  lines.close();
  return text as string;
}

/** Finds the lock's entry, which shows while the lock is held. */
async function entryOf(of: string): Promise<string> {
  return withPathLock(of, "test", async () => lockResidue(of)[0]?.name ?? "");
}

const taken = (): Promise<string> => withPathLock(path, "test", async () => "taken");

/** Leaves a socket that nobody listens on any more. */
function leaveSocket(at: string): void {
  const fd = unixSocket("stream");
  bindPath(fd, at);
  closeSync(fd);
}

describe.skipIf(process.platform === "win32")("the lock of a path", () => {
  it("ends with its owner, however that dies, and leaves nothing once it was taken over", async () => {
    const owner = start("hold", path);
    expect(await line(owner)).toBe("holds");
    await sweepLocks(path);
    expect(lockResidue(path)).toHaveLength(1);
    owner.kill("SIGKILL");
    await once(owner, "exit");
    expect(lockResidue(path)).toHaveLength(1);
    expect(await taken()).toBe("taken");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is held by one at a time when eight processes compete for what a dead owner left", {
    timeout: 180_000,
  }, async () => {
    const entry = await entryOf(path);
    mkdirSync(entry, { mode: 0o700 });
    if (process.platform === "linux") leaveSocket(join(entry, "aaaaaa"));
    const children = Array.from({ length: CONTENDERS }, () => start("compete", path));
    await Promise.all(children.map(line));
    const ends = children.map(line);
    for (const child of children) child.stdin?.write("go\n");
    const turns = (await Promise.all(ends)).map((text) => Number(text.split(" ")[1]));
    expect(Math.max(...turns)).toBeGreaterThan(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is free where its directory may not be written: the server's own error is clearer", async () => {
    const missing = join(directory, "missing", "server.sock");
    await expect(withPathLock(missing, "test", async () => "ran")).rejects.toMatchObject({ code: "ENOENT" });
    expect(withPathLockSync(missing, "test", () => "ran")).toBe("ran");
  });

  it("is not taken where something else is in its place", async () => {
    const entry = await entryOf(path);
    symlinkSync(tmpdir(), entry);
    await expect(taken()).rejects.toThrow(/the lock of .*, is no directory; remove it, or choose/);
  });

  it.skipIf(process.platform !== "linux")(
    "is cleared of what processes left that were killed while taking it",
    async () => {
      const entry = await entryOf(path);
      const prefix = entry.slice(0, -"lock".length);
      const leave = (): void => {
        for (const name of ["aaaaaa", "bbbbbb"]) mkdirSync(`${prefix}${name}`, { mode: 0o700 });
        leaveSocket(`${prefix}bbbbbb/bbbbbb`);
        const longAgo = Date.now() / 1000 - 60;
        for (const name of ["aaaaaa", "bbbbbb"]) utimesSync(`${prefix}${name}`, longAgo, longAgo);
      };
      leave();
      expect(await taken()).toBe("taken");
      expect(readdirSync(directory)).toEqual([]);
      leave();
      mkdirSync(entry, { mode: 0o700 });
      leaveSocket(join(entry, "cccccc"));
      expect(lockResidue(path)).toHaveLength(3);
      await sweepLocks(path);
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  it.skipIf(process.platform !== "linux")("fits wherever the path of the server does", async () => {
    const long = join(directory, "d".repeat(MAX_SOCKET_PATH_BYTES - directory.length - 3), "s");
    mkdirSync(join(long, ".."));
    expect(long).toHaveLength(MAX_SOCKET_PATH_BYTES);
    const entry = await entryOf(long);
    mkdirSync(entry, { mode: 0o700 });
    const fd = openSync(entry, "r");
    leaveSocket(`/proc/self/fd/${fd}/aaaaaa`);
    closeSync(fd);
    expect(withPathLockSync(long, "test", () => "taken")).toBe("taken");
    expect(readdirSync(join(long, ".."))).toEqual([]);
  });
});

describe.skipIf(!IS_ROOT)("the lock of a path, and other users of the machine", () => {
  it("cannot be taken by those who may only read the directory", async () => {
    chmodSync(directory, 0o755);
    const rawClient = start("hold", path, String(NOBODY));
    // It has no lock: there is none to have in a directory that it may not write.
    expect(await line(rawClient)).toBe("holds");
    expect(readdirSync(directory)).toEqual([]);
    expect(await taken()).toBe("taken");
  });

  it("is refused where they were first, in a directory that all may write", async () => {
    chmodSync(directory, 0o1777);
    const rawClient = start("hold", path, String(NOBODY));
    expect(await line(rawClient)).toBe("holds");
    const refusal = new RegExp(
      `${directory}/\\S+, the lock of ${path}, belongs to user ${NOBODY}; remove it, or choose`,
    );
    await expect(taken()).rejects.toMatchObject({
      code: "IPC_ADDRESS_IN_USE",
      message: expect.stringMatching(refusal),
    });
    rawClient.kill("SIGKILL");
    await once(rawClient, "exit");
    await expect(taken()).rejects.toThrow(refusal);
    expect(() => withPathLockSync(path, "test", () => "taken")).toThrow(refusal);
    // Root could rename over one that is empty.
    const [entry] = readdirSync(directory);
    rmSync(join(directory, entry as string), { recursive: true });
    mkdirSync(join(directory, entry as string));
    chownSync(join(directory, entry as string), NOBODY, NOBODY);
    await expect(taken()).rejects.toThrow(refusal);
    rmSync(join(directory, entry as string), { recursive: true });
    expect(await taken()).toBe("taken");
  });

  it("does not sweep what others have there", async () => {
    chmodSync(directory, 0o1777);
    const rawClient = start("hold", path, String(NOBODY));
    expect(await line(rawClient)).toBe("holds");
    rawClient.kill("SIGKILL");
    await once(rawClient, "exit");
    await sweepLocks(path);
    expect(readdirSync(directory)).toHaveLength(1);
  });
});
