import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** What every process that the tests start would otherwise do anew. */
export default function setup(): () => void {
  // One store of compiled code for all of them.
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-test-compiled-"));
  process.env["NODE_COMPILE_CACHE"] = directory;
  preferRealPython();
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** The `python3` of a version manager is a script that looks for the real one each time, for longer than a Python takes to start. */
function preferRealPython(): void {
  try {
    const executable = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 10_000,
    });
    process.env["PATH"] = `${dirname(executable.trim())}${delimiter}${process.env["PATH"]}`;
  } catch {
    // No Python: the tests that need one say so.
  }
}
