import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { realProgram } from "./harness/process/real-program.ts";
import { sweepSystemNames } from "./transports/testing/system-names.ts";

/**
 * Beside the packages, so that a run that is killed leaves nothing in the temporary folder and the next one finds it
 * filled.
 */
const COMPILED = fileURLToPath(new URL("node_modules/.cache/ipcmark-test-compiled", import.meta.url));

/** Prepares what every process that the tests start would otherwise do anew. Vitest calls it once for each project. */
export default function setup(): void {
  if (process.env["NODE_COMPILE_CACHE"] === COMPILED) return;
  // One store of compiled code for all of them.
  process.env["NODE_COMPILE_CACHE"] = COMPILED;
  // What is tested is the source.
  process.env["IPCMARK_BUNDLE"] = "off";
  // Tests assert no time, so their processes need not compile code early, which would take a fifth more CPU time.
  process.env["IPCMARK_V8"] = "default";
  // That of the job which runs the tests is no place for what they print.
  delete process.env["GITHUB_STEP_SUMMARY"];
  preferRealPython();
  sweepSystemNames();
}

/** Puts the real Python first in PATH: behind a shim each start by name would take longer. */
function preferRealPython(): void {
  const found = realProgram("python3");
  const python = "path" in found ? found.path : undefined;
  if (python !== undefined) process.env["PATH"] = `${dirname(python)}${delimiter}${process.env["PATH"]}`;
}
