/** Describes the end of a process: `exited with code 7`, `was ended by SIGKILL`. */
export function howEnded({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}

/**
 * Explains why running a program failed: it is not installed, did not end in time, or failed itself.
 *
 * @param error thrown by `execFile` or `execFileSync`, or returned by `spawnSync`
 */
export function programFailure(name: string, error: unknown, limitMs: number): string {
  const { code, killed, stderr, message = "" } = error as Partial<ExecError>;
  if (code === "ENOENT") return `${name} is not installed`;
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
