import { execFileSync } from "node:child_process";
import { basename } from "node:path";

const PROBE_MS = 5000;
const known = new Map<string, string | undefined>();

/**
 * The program behind a name on PATH, asked once; undefined where none can be run. A `python3` on PATH may be the script of a version manager
 * that looks for the real one each time it is started, for longer than a Python takes to start.
 */
export function realProgram(name: string): string | undefined {
  if (!known.has(name)) known.set(name, ask(name));
  return known.get(name);
}

function ask(name: string): string | undefined {
  const isPython = /^python[\d.]*(\.exe)?$/.test(basename(name));
  try {
    const said = execFileSync(name, isPython ? ["-c", "import sys; print(sys.executable)"] : ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: PROBE_MS,
    });
    return (isPython && said.trim()) || name;
  } catch {
    return undefined;
  }
}
