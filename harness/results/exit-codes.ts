/** What the process exits with; the README's table is kept equal to this by a test. */
export const EXIT = {
  ok: 0,
  crash: 1,
  usage: 2,
  checkFailed: 10,
  noPick: 10,
  regression: 20,
  inconclusive: 21,
  incomplete: 22,
  refused: 23,
  sigint: 130,
  sigterm: 143,
} as const;

/** Nothing that was asked for by name can run here, and why has been said. */
export class IncompleteError extends Error {
  override readonly name = "IncompleteError";
}

/** No transport meets all needs; the message names the need that excludes most. */
export class NobodyQualifies extends Error {
  override readonly name = "NobodyQualifies";
}

/** Bad input: one sentence that names the input and the way out. Never a stack trace. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
