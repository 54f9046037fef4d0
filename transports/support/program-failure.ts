/** Describes the end of a process: `exited with code 7`, `was ended by SIGKILL`. */
export function howEnded({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}

/**
 * Explains why a program that was run to its end was of no use: it is not installed, did not end in time, or failed.
 * Each has a sentence and a remedy of its own.
 *
 * @param error what `execFile` or `execFileSync` threw, or `spawnSync` returned
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
