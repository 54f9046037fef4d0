import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { tryLockExclusive, tryLockPatiently } from "./lock.ts";

describe.skipIf(process.platform !== "linux")("a lock", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-lock-"));
  const path = join(directory, "lock");
  const fd = openSync(path, "w");
  afterAll(() => {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  /** Starts a process that holds the lock, shared as a tester does, for a number of seconds. */
  async function heldFor(seconds: number): Promise<ChildProcess> {
    const script = 'exec 9<"$1"; flock -s 9; echo held; exec sleep "$2" >&-';
    const holder = spawn("sh", ["-c", script, "sh", path, String(seconds)], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout as NodeJS.ReadableStream, "data");
    return holder;
  }

  it("waits for a tester that the scheduler stopped", async () => {
    const tester = await heldFor(0.02);
    const found = tryLockPatiently(fd);
    tester.kill("SIGKILL");
    expect(found).toBe(true);
  });

  it("is not taken from one who keeps it", async () => {
    const other = openSync(path, "w");
    const found = [tryLockExclusive(other), tryLockPatiently(other)];
    closeSync(other);
    expect(found).toEqual([false, false]);
  });
});
