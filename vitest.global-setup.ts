import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { realProgram } from "./harness/process/real-program.ts";

/** What every process that the tests start would otherwise do anew. */
export default function setup(): () => void {
  // One store of compiled code for all of them.
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-test-compiled-"));
  process.env["NODE_COMPILE_CACHE"] = directory;
  preferRealPython();
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** See there; what starts a `python3` by name gets it at once, and where there is none the tests that need one say so. */
function preferRealPython(): void {
  const found = realProgram("python3");
  const python = "path" in found ? found.path : undefined;
  if (python !== undefined) process.env["PATH"] = `${dirname(python)}${delimiter}${process.env["PATH"]}`;
}
