import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { REGISTRY } from "../../transports/registry.ts";
import { MAX_SOCKET_PATH_BYTES } from "../../transports/support/socket-path-limit.ts";
import { createPlace, deadPlaces, removePlace } from "./place.ts";
import { hasShortPath, LONGEST_BELOW_PARENT, placeParent, placeParents } from "./place-parent.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "parent-test-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(process.platform === "win32")("the directory that runs are made in", () => {
  it("leaves room for the socket of every mechanism", async () => {
    const checks = "ipcmark-0123456789abcdef/2hwds-999";
    const parent = directory.padEnd(MAX_SOCKET_PATH_BYTES - LONGEST_BELOW_PARENT, "x");
    const place = { directory: join(parent, checks), prefix: "ipcmark-0123456789abcdef" };
    for (const { load } of REGISTRY) {
      const { name } = await (await load()).allocate(place);
      if (name.startsWith(parent)) expect(Buffer.byteLength(name), name).toBeLessThanOrEqual(MAX_SOCKET_PATH_BYTES);
    }
    expect([hasShortPath(parent), hasShortPath(`${parent}x`)]).toEqual([true, false]);
  });

  it("is a short one where the temporary directory is too long, and both are searched for leftovers", async () => {
    const long = join(directory, "b".repeat(90));
    mkdirSync(long);
    vi.stubEnv("TMPDIR", long);
    expect(hasShortPath(placeParent())).toBe(true);
    expect(placeParents()).toEqual([
      long,
      expect.stringMatching(/^\/(tmp|run\/user\/\d+)$/),
      ...placeParents().slice(2),
    ]);
    const place = await createPlace();
    expect(place.directory.startsWith(placeParent())).toBe(true);
    rmSync(join(place.directory, "owner"));
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(place.directory, longAgo, longAgo);
    expect((await deadPlaces()).map(({ prefix }) => prefix)).toContain(place.prefix);
    await removePlace(place);
  });

  it("is refused in one sentence when it is missing, a file or read-only", async ({ skip }) => {
    const [missing, file, closed] = ["missing", "file", "closed"].map((name) => join(directory, name));
    vi.stubEnv("TMPDIR", missing);
    expect(placeParent).toThrow(/^the temporary directory \S+missing does not exist; set TMPDIR to a directory/);
    expect(await deadPlaces()).toEqual([]);
    writeFileSync(file as string, "");
    vi.stubEnv("TMPDIR", file);
    expect(placeParent).toThrow(/^the temporary directory \S+file is no directory; set TMPDIR/);
    expect(await deadPlaces()).toEqual([]);
    mkdirSync(closed as string);
    chmodSync(closed as string, 0o500);
    vi.stubEnv("TMPDIR", closed);
    if (process.getuid?.() === 0) skip("root may write everywhere");
    expect(placeParent).toThrow(/^the temporary directory \S+closed may not be written; set TMPDIR/);
  });
});
