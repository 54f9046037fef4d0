import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createPlace, removePlace } from "../process/place.ts";
import { ownTemporaryDirectory } from "../testing/temporary-directory.ts";
import { examine } from "./examine.ts";
import { leftovers, removeLeftovers } from "./leftovers.ts";

const directory = ownTemporaryDirectory();

test("the directory of a killed run is found and removed; that of a living run is neither", async () => {
  const dead = join(directory(), `ipcmark-${randomBytes(8).toString("hex")}`);
  mkdirSync(dead, { mode: 0o700 });
  const server = createServer().listen(join(dead, "elsewhere"));
  await once(server, "listening");
  // What the kernel makes of a socket whose owner is gone.
  renameSync(join(dead, "elsewhere"), join(dead, "owner"));
  await new Promise((resolve) => server.close(resolve));
  const alive = await createPlace();
  const [finding] = await leftovers();
  expect(finding?.status).toBe("warning");
  expect(finding?.found).toContain("1 directory of killed runs");
  expect(await removeLeftovers()).not.toHaveLength(0);
  expect(existsSync(dead)).toBe(false);
  expect(existsSync(alive.directory)).toBe(true);
  await removePlace(alive);
});

test.runIf(existsSync("/dev/shm"))(
  "a segment nobody has open is removed; a young one and a stranger's name are not",
  async () => {
    const digits = randomBytes(8).toString("hex");
    const segment = `/dev/shm/ipcmark-${digits}-test`;
    const young = `/dev/shm/ipcmark-${digits}-young`;
    const other = `/dev/shm/other-${digits}`;
    const paths = [segment, young, other];
    try {
      for (const path of paths) writeFileSync(path, "", { mode: 0o600 });
      const longAgo = Date.now() / 1000 - 3600;
      for (const path of [segment, other]) utimesSync(path, longAgo, longAgo);
      const [finding] = await leftovers();
      expect(finding?.found).toContain("1 kernel object nobody uses");
      await removeLeftovers();
      expect(paths.map((path) => existsSync(path))).toEqual([false, true, true]);
    } finally {
      for (const path of paths) rmSync(path, { force: true });
    }
  },
);

test("a probe that fails is a finding and stops no other", async () => {
  const failing = (): never => {
    throw new Error("no such luck");
  };
  const findings = await examine([failing, () => [{ topic: "other", status: "ok", found: "fine" }]]);
  expect(findings.map(({ topic, status }) => [topic, status])).toEqual([
    ["failing", "note"],
    ["other", "ok"],
  ]);
  expect(findings[0]?.found).toContain("no such luck");
});

test("every finding that is not well states what it means or what changes it", async () => {
  const findings = await examine();
  expect(findings.length).toBeGreaterThan(8);
  const silent = findings.filter(
    ({ status, meaning, fix }) => status !== "ok" && !meaning && !fix && status !== "note",
  );
  expect(silent).toEqual([]);
});
