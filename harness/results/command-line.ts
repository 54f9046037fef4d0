import type { Report } from "./model.ts";

/** Characters that no shell gives a meaning, inside or outside of quotes. `…` stands for what a document leaves out. */
const PLAIN = "[\\w@%+=:,./…-]";
const WORD = `(?:${PLAIN}|'[^']*'|\\\\')+`;
const WHOLE = new RegExp(`^ipcmark( ${WORD})+$`);
const ALL_PLAIN = new RegExp(`^${PLAIN}+$`);

/** Writes a word so that a POSIX shell reads it as one. */
export function shellWord(word: string): string {
  return ALL_PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Writes the command line of a report: `ipcmark compare --quick`. */
export function commandLineOf(words: readonly string[]): string {
  return ["ipcmark", ...words].map(shellWord).join(" ");
}

/**
 * Returns the words behind `ipcmark` of the command line of a report; undefined where it cannot be read for certain. A
 * report may come from anywhere, so nothing else in it is ever shown as a command.
 */
export function wordsOf(commandLine: string): string[] | undefined {
  if (!WHOLE.test(commandLine)) return undefined;
  const words = commandLine.match(new RegExp(WORD, "g")) ?? [];
  return words.slice(1).map((word) => word.replace(/'([^']*)'|\\(')/g, (_, quoted, escaped) => quoted ?? escaped));
}

/** Commands that measure and may be repeated. */
export const REPEATED: readonly string[] = ["compare", "measure", "check"];

/**
 * Returns the command that repeats a run in the same order of trials, as it was typed there: with `npm run` in a
 * clone, with `npx` where the package is installed.
 *
 * @returns undefined where the command line cannot be repeated for certain
 */
export function commandAgain({
  commandLine,
  seed,
  startedFrom,
}: Pick<Report, "commandLine" | "seed" | "startedFrom">): string | undefined {
  const [command, ...flags] = wordsOf(commandLine) ?? [];
  if (command === undefined || !REPEATED.includes(command)) return undefined;
  const hasSeed = flags.some((flag) => flag === "--seed" || flag.startsWith("--seed="));
  const all = hasSeed || !Number.isSafeInteger(seed) ? flags : [...flags, "--seed", String(seed)];
  return typed(command, all, startedFrom).map(shellWord).join(" ");
}

/** Returns the words of one of our commands: with `npm run` in a clone, with `npx` where the package is installed. */
export function typed(command: string, args: readonly string[], startedFrom: Report["startedFrom"]): string[] {
  if (startedFrom !== "clone") return ["npx", "ipcmark", command, ...args];
  return ["npm", "run", command, ...(args.length > 0 ? ["--"] : []), ...args];
}
