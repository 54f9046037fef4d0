import { asRoot } from "../contract/shortage.ts";

/** Describes the end of a process: `exited with code 7`, `was ended by SIGKILL`. */
export function howEnded({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}

/** Packages of the system that have a program. */
const PACKAGES: Readonly<Record<string, string>> = {
  cc: "build-essential",
  git: "git",
  mkfifo: "coreutils",
  python3: "python3",
  taskset: "util-linux",
};

/** Returns what brings a program that is not there. */
export function installRemedy(program: string): string {
  const found = PACKAGES[program];
  return found === undefined ? "install it" : asRoot(`apt-get install ${found}`);
}

/**
 * Explains why running a program failed, with the remedy: it was not found, did not end in time, or failed itself.
 *
 * @param error thrown by `execFile` or `execFileSync`, or returned by `spawnSync`
 */
export function programFailure(name: string, error: unknown, limitMs: number): string {
  const { code, killed, stderr, message = "" } = error as Partial<ExecError>;
  if (code === "ENOENT") return `${name} not found; ${installRemedy(name)}`;
  if (code === "ETIMEDOUT" || killed === true) {
    return `${name} did not end within ${limitMs / 1000} s: is the machine busy, or the program waiting for something?`;
  }
  const told = String(stderr ?? "").trim() || message;
  return `${name} cannot be run: ${told.split("\n").at(-1)}`;
}

interface ExecError {
  readonly code: string | number | null;
  readonly killed: boolean;
  readonly stderr: string | Uint8Array | null;
  readonly message: string;
}
