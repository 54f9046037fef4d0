import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One store of compiled code for all processes that the tests start: each of them would otherwise compile the same files anew. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), "ipcmark-test-compiled-"));
  process.env["NODE_COMPILE_CACHE"] = directory;
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}
