import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentOwner } from "./owner.ts";
import { createPlace, programDirectory, removePlace, sweepDeadPlaces } from "./place.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "place-test-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const NAME = "ipcmark-0123456789abcdef";

/** A run directory whose owner has this pid and start time. */
function abandoned(owner: object, mode = 0o700): string {
  const directory = join(parent, NAME);
  mkdirSync(directory);
  writeFileSync(join(directory, "owner.json"), JSON.stringify(owner));
  chmodSync(directory, mode);
  return directory;
}

/** A pid that is certainly nobody's: of a process that has just ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

describe("the private directory of a run", () => {
  it("is open to nobody else, is named unguessably, and is removed whole", async () => {
    const place = createPlace(parent);
    expect(statSync(place.directory).mode & 0o777).toBe(0o700);
    expect(place.prefix).toMatch(/^ipcmark-[0-9a-f]{16}$/);
    expect(JSON.parse(readFileSync(join(place.directory, "owner.json"), "utf8"))).toEqual(currentOwner());
    await removePlace(place);
    expect(existsSync(place.directory)).toBe(false);
  });

  it("is swept by a later run when its owner is dead", async () => {
    const directory = abandoned({ ...currentOwner(), pid: deadPid() });
    expect(await sweepDeadPlaces([parent])).toBe(1);
    expect(existsSync(directory)).toBe(false);
  });

  it("is swept when its owner's pid was given to another process since", async () => {
    abandoned({ ...currentOwner(), startTime: "1" });
    expect(await sweepDeadPlaces([parent])).toBe(1);
  });

  it("is never swept while its owner lives", async () => {
    const place = createPlace(parent);
    expect(await sweepDeadPlaces([parent])).toBe(0);
    expect(existsSync(place.directory)).toBe(true);
  });

  it("is swept without an owner, or with half of one, only when no run can be about to write it", async () => {
    const directory = abandoned({});
    for (const text of [undefined, '{"uid":0,"pi']) {
      if (text === undefined) rmSync(join(directory, "owner.json"));
      else writeFileSync(join(directory, "owner.json"), text);
      expect(await sweepDeadPlaces([parent])).toBe(0);
    }
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(directory, longAgo, longAgo);
    expect(await sweepDeadPlaces([parent])).toBe(1);
    expect(existsSync(directory)).toBe(false);
  });

  it("goes together with the copy of the program that others may read", async () => {
    const place = createPlace(parent);
    for (const name of [programDirectory(place), `${programDirectory(place)}.123`]) mkdirSync(name);
    await removePlace(place);
    expect(readdirSync(parent)).toEqual([]);
  });

  it("is left alone when it may not be ours: other permissions, or a link to somewhere else", async () => {
    const directory = abandoned({ ...currentOwner(), pid: deadPid() }, 0o755);
    symlinkSync(directory, join(parent, "ipcmark-fedcba9876543210"));
    mkdirSync(join(parent, "ipcmark-other"), { mode: 0o700 });
    expect(await sweepDeadPlaces([parent])).toBe(0);
  });
});
