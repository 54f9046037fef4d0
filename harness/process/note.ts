import { visibleLines } from "../results/format.ts";

/** Sentences that are on the terminal already. */
const noted = new Set<string>();

/** Writes prose to stderr, so that stdout holds results alone. */
export function note(text: string): void {
  // The line of the progress has no end: it is drawn again.
  const clear = process.stderr.isTTY ? "\r\u001b[2K" : "";
  process.stderr.write(`${clear}${visibleLines(text)}\n`);
}

/** Notes a warning that the report of the run has too, so that it is not printed twice. */
export function noteWarning(text: string): void {
  noted.add(text);
  note(`ipcmark: ${text}`);
}

/** Returns true when {@link noteWarning} has printed a sentence. */
export function isNoted(text: string): boolean {
  return noted.has(text);
}
