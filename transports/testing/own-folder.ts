import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";

export interface OwnFolder {
  /** Folder of the running test, new for each test; to be read only while a test runs. */
  readonly directory: string;
  /** Functions that end the things a test started; called after the test, the newest first. */
  readonly ended: (() => unknown)[];
}

/** Gives each test of a file or a `describe` its own folder, in which it must leave nothing. */
export function ownFolder(): OwnFolder {
  const ended: (() => unknown)[] = [];
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "ipcmark-test-"));
  });
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
  });
  return {
    get directory() {
      return directory;
    },
    ended,
  };
}
