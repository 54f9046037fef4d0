import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { tryLockExclusive, tryLockPatiently } from "./lock.ts";

describe.skipIf(process.platform !== "linux")("a lock", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-lock-"));
  const path = join(directory, "lock");
  const fd = openSync(path, "w");
  afterAll(() => {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  afterEach(() => vi.restoreAllMocks());

  it("waits for a tester that the scheduler stopped", () => {
    const tester = openSync(path, "w");
    expect(tryLockExclusive(tester)).toBe(true);
    let naps = 0;
    // It goes on during the third nap.
    vi.spyOn(Atomics, "wait").mockImplementation(() => {
      if (++naps === 3) closeSync(tester);
      return "timed-out";
    });
    expect([tryLockPatiently(fd), naps]).toEqual([true, 3]);
  });

  it("is not taken from one who keeps it", async () => {
    const other = openSync(path, "w");
    const found = [tryLockExclusive(other), tryLockPatiently(other)];
    closeSync(other);
    expect(found).toEqual([false, false]);
  });
});
