/** Programs independent of this project, as the other end of a mechanism. */
import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";

/** Python of the system, whose modules come from the system's packages (python3-zmq, python3-grpcio). */
const PYTHON = "/usr/bin/python3";
const LIMIT_MS = 20_000;
const run = promisify(execFile);

/** Returns undefined when the command works, otherwise the reason and the remedy, which a skipped test shows. */
function missing(command: string, args: readonly string[], remedy: string): string | undefined {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: LIMIT_MS });
    return undefined;
  } catch {
    return `${command} ${args.join(" ")} does not work here; ${remedy}`;
  }
}

export const withoutCurl: string | undefined = missing("curl", ["--version"], "install curl");

export function withoutPython(module: string, packageName: string): string | undefined {
  return missing(PYTHON, ["-c", `import ${module}`], `install ${packageName}`);
}

/** Runs a Python program and returns its output. @throws with its standard error when it fails or takes too long */
export async function runPython(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(PYTHON, ["-c", program, ...args], { timeout: LIMIT_MS });
  return stdout.trim();
}

export async function runCurl(...args: readonly string[]): Promise<Buffer> {
  const { stdout } = await run("curl", ["--silent", "--show-error", "--max-time", "10", ...args], {
    timeout: LIMIT_MS,
    encoding: "buffer",
  });
  return stdout;
}
