import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** Gives each test of the file its own temporary directory, for the doctor too; returns a function that names it. */
export function ownTemporaryDirectory(): () => string {
  const before = process.env["TMPDIR"];
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "doctor-"));
    process.env["TMPDIR"] = directory;
  });
  afterEach(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(directory, { recursive: true, force: true });
  });
  return () => directory;
}
