/** True for an error of the system with one of these codes. */
export function hasErrno(error: unknown, ...errnos: readonly string[]): boolean {
  return error instanceof Error && "code" in error && errnos.includes(String(error.code));
}
