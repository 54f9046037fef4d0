import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** A temporary directory of its own for each test of the file, also for what the doctor looks at; returns how to name it. */
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
