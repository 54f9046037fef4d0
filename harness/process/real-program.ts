import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { programFailure } from "../../transports/support/program-failure.ts";

const PROBE_MS = 5000;
const known = new Map<string, RealProgram>();

/** Program that a name on PATH leads to, or the reason why none can be run. */
export type RealProgram = { readonly path: string } | { readonly reason: string };

/**
 * Finds the program that a name on PATH leads to, once per name. A `python3` on PATH may be a script of a version
 * manager, which searches for the real program at each start and takes longer than Python itself.
 */
export function realProgram(name: string): RealProgram {
  const found = known.get(name) ?? ask(name);
  known.set(name, found);
  return found;
}

function ask(name: string): RealProgram {
  const isPython = /^python[\d.]*(\.exe)?$/.test(basename(name));
  try {
    const said = execFileSync(name, isPython ? ["-c", "import sys; print(sys.executable)"] : ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PROBE_MS,
    });
    return { path: (isPython && said.trim()) || name };
  } catch (error) {
    return { reason: programFailure(name, error, PROBE_MS) };
  }
}
