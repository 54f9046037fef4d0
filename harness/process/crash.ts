/** End of a process: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Signals that the kernel sends for a fault in JavaScript or native code. Our processes never send them to others. */
const SIGNALS: ReadonlySet<string | null> = new Set(["SIGSEGV", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGILL"]);

export function isCrash(signal: string | null): signal is string {
  return SIGNALS.has(signal);
}

let report: (process: string, signal: string) => void = () => {};

/** Calls back for each child of this process that crashes, before anybody else sees that it ended. */
export function onCrash(listener: (process: string, signal: string) => void): void {
  report = listener;
}

/** @param process role of the child: `peer`, `client` */
export function noteExit(process: string, signal: string | null): void {
  if (isCrash(signal)) report(process, signal);
}
