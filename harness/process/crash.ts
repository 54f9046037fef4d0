/** End of a process: exit code or signal; the other one is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Signals that the kernel sends for faults in V8 or native code. Our processes never send them to others. */
const SIGNALS: ReadonlySet<string | null> = new Set(["SIGSEGV", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGILL"]);

export function isCrash(signal: string | null): signal is string {
  return SIGNALS.has(signal);
}

let report: (process: string, signal: string) => void = () => {};

/** Calls `listener` for each child of this process that crashes, before any other listener for its end. */
export function onCrash(listener: (process: string, signal: string) => void): void {
  report = listener;
}

/** @param process role of the child: `peer`, `client` */
export function noteExit(process: string, signal: string | null): void {
  if (isCrash(signal)) report(process, signal);
}
