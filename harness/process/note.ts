import { visibleLines } from "../results/format.ts";

/** Sentences that were printed already. */
const noted = new Set<string>();

/** Writes prose to stderr, so that stdout contains only results. */
export function note(text: string): void {
  // Clears the line of the progress, which does not end with a line feed and is drawn again.
  const clear = process.stderr.isTTY ? "\r\u001b[2K" : "";
  process.stderr.write(`${clear}${visibleLines(text)}\n`);
}

/** Prints a warning that the report contains too, and records that it was printed. */
export function noteWarning(text: string): void {
  noted.add(text);
  note(`ipcmark: ${text}`);
}

/** Returns true if {@link noteWarning} has printed this sentence. */
export function isNoted(text: string): boolean {
  return noted.has(text);
}
