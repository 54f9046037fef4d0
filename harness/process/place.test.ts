import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileDropPoll } from "../../transports/file-drop/file-drop.ts";
import { allocate } from "./journal.ts";
import { createPlace, removePlace, sweepDeadPlaces } from "./place.ts";
import { forgetWorktree, noteWorktree } from "./worktree.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "place-test-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const NAME = "ipcmark-0123456789abcdef";

const FILES = 12000;
const HOLD = `
const { holdDirectory } = await import(process.argv[1]);
await holdDirectory(process.argv[2]);
process.stdout.write("held");
process.stdin.resume();
`;

/** Starts a process that holds a run directory until its stdin closes. */
async function otherRun(): Promise<{ directory: string; child: ChildProcessByStdio<Writable, Readable, null> }> {
  const directory = join(parent, NAME);
  mkdirSync(directory, { mode: 0o700 });
  const owner = new URL("./owner.ts", import.meta.url).href;
  const args = ["--input-type=module", "-e", HOLD, owner, directory];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  return { directory, child };
}

/** Makes the directory of a killed run. */
async function abandoned(): Promise<string> {
  const { directory, child } = await otherRun();
  child.kill("SIGKILL");
  await once(child, "exit");
  return directory;
}

describe("the private directory of a run", () => {
  it("is open to nobody else, is named unguessably, and is removed whole", async () => {
    const place = await createPlace(parent);
    expect(statSync(place.directory).mode & 0o777).toBe(0o700);
    expect(place.prefix).toMatch(/^ipcmark-[0-9a-f]{16}$/);
    await removePlace(place);
    expect(existsSync(place.directory)).toBe(false);
  });

  it("is swept by a later run when its owner was killed", async () => {
    const directory = await abandoned();
    expect(await sweepDeadPlaces([parent])).toBe(1);
    expect(existsSync(directory)).toBe(false);
  });

  it("is never swept while its owner lives, be that stopped", async () => {
    const place = await createPlace(parent);
    const { directory, child } = await otherRun();
    child.kill("SIGSTOP");
    try {
      expect(await sweepDeadPlaces([parent])).toBe(0);
      expect([place.directory, directory].map((each) => existsSync(each))).toEqual([true, true]);
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
      await removePlace(place);
    }
  });

  it("is swept without an owner only when no run can be about to mark it", async () => {
    const directory = join(parent, NAME);
    mkdirSync(directory, { mode: 0o700 });
    expect(await sweepDeadPlaces([parent])).toBe(0);
    const longAgo = Date.now() / 1000 - 3600;
    utimesSync(directory, longAgo, longAgo);
    expect(await sweepDeadPlaces([parent])).toBe(1);
    expect(existsSync(directory)).toBe(false);
  });

  it("has what modules of users left swept in a process of theirs, for a limited time", async () => {
    const swept = join(parent, "swept");
    const write = (name: string, sweep: string): string => {
      const path = join(parent, `${name}.mjs`);
      writeFileSync(
        path,
        `import { writeFileSync } from "node:fs";\nexport default { id: "mine", sweep(address) { ${sweep} } };\n`,
      );
      return path;
    };
    const tidy = write("tidy", `writeFileSync(${JSON.stringify(swept)}, address.name + process.pid);`);
    const hanging = write("hanging", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);");
    const removed = async (modules: readonly string[], limitMs: number): Promise<string> => {
      const place = await createPlace(parent);
      const address = { transport: "mine", name: `${place.prefix}-` };
      const lines = modules.map((module) => JSON.stringify({ transport: { id: "mine", module }, address }));
      writeFileSync(join(place.directory, "journal"), [...lines, '{"transport":null}', '"'].join("\n"));
      await removePlace(place, limitMs);
      expect(existsSync(place.directory)).toBe(false);
      return place.prefix;
    };
    // Long enough for a process to start on a busy machine.
    const prefix = await removed([tidy, join(parent, "gone.mjs")], 30_000);
    expect(readFileSync(swept, "utf8")).toMatch(new RegExp(`^${prefix}-\\d+$`));
    expect(readFileSync(swept, "utf8")).not.toBe(`${prefix}-${process.pid}`);
    await removed([hanging], 1000);
  });

  it("is removed with thousands of files in it without blocking: signals have their turn meanwhile", async () => {
    const place = await createPlace(parent);
    const address = await allocate(fileDropPoll, { id: fileDropPoll.id, module: null }, place);
    mkdirSync(address.name);
    for (let index = 0; index < FILES; index++) writeFileSync(join(address.name, `${index}`), "");
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await removePlace(place);
    clearInterval(timer);
    expect(existsSync(place.directory)).toBe(false);
    // In one piece it leaves room for three, however fast the machine; else there were 21.
    expect(turns).toBeGreaterThan(6);
  });

  it("takes git's record of its worktree with it, and nothing that does not bear its name", async () => {
    const place = await createPlace(parent);
    const git = join(parent, "git");
    const [own, other] = [place.prefix, NAME].map((name) => join(git, "worktrees", name)) as [string, string];
    for (const record of [own, other]) mkdirSync(record, { recursive: true });
    noteWorktree(place, git);
    await forgetWorktree(place);
    expect([own, other].map((record) => existsSync(record))).toEqual([false, true]);
    noteWorktree({ ...place, prefix: NAME }, git);
    await removePlace(place);
    expect(existsSync(other)).toBe(true);
  });

  it("is left alone when it may not be ours: other permissions, or a link to somewhere else", async () => {
    const directory = await abandoned();
    chmodSync(directory, 0o755);
    symlinkSync(directory, join(parent, "ipcmark-fedcba9876543210"));
    mkdirSync(join(parent, "ipcmark-other"), { mode: 0o700 });
    expect(await sweepDeadPlaces([parent])).toBe(0);
  });
});
