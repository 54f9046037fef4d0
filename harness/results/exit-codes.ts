/** Exit codes of the process; a test keeps the README's table equal to this. */
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

/** Thrown where nothing that was asked for by name can run here; the reasons were printed before. */
export class IncompleteError extends Error {
  override readonly name = "IncompleteError";
}

/** Thrown where no transport meets all needs; the message names the need that excludes most. */
export class NobodyQualifies extends Error {
  override readonly name = "NobodyQualifies";
}

/** Thrown for bad input: one sentence that names the input and the way out. Never a stack trace. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
