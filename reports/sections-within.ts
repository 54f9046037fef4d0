/** Part of a text that is kept or left out as a whole. */
export interface Section {
  /** Name in the sentence that lists what was left out. */
  readonly name: string;
  readonly text: string;
}

/** Largest text for a pull request, bytes: GitHub takes 65,536 characters in a comment. */
export const PULL_REQUEST_BYTES = 60_000;
/** Size of a summary of a CI step, bytes: several commands may write into one, and GitHub takes 1 MiB a step. */
export const STEP_BYTES = 20_000;
/** Largest number of names in the sentence on what was left out, and their longest. */
const MOST_NAMED = 5;
const LONGEST_NAME = 100;
/** Room for that sentence, bytes. */
const SENTENCE_BYTES = 2000;

/**
 * Joins sections with empty lines. Where they do not fit, whole ones are left out from the end, and the last line names
 * them.
 *
 * @param limitBytes size of the text in UTF-8, never reached
 * @param rest words for where all of it is: `report.json has them`
 */
export function sectionsWithin(sections: readonly Section[], limitBytes: number, rest: string): string {
  const written = sections.filter(({ text }) => text !== "");
  let bytes = 0;
  const full = written.findIndex(({ text }) => {
    bytes += Buffer.byteLength(text) + 2;
    return bytes > limitBytes - SENTENCE_BYTES;
  });
  if (full === -1) return joined(written.map(({ text }) => text));
  const names = written.slice(full).map(({ name }) => name.slice(0, LONGEST_NAME).toWellFormed());
  const more = names.length - MOST_NAMED;
  const listed = [...names.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join("; ");
  const note = `_Left out, since this text holds at most ${Math.floor(limitBytes / 1000)} kB: ${listed}. ${rest}_`;
  return joined([...written.slice(0, full).map(({ text }) => text), note]);
}

const joined = (texts: readonly string[]): string => `${texts.join("\n\n")}\n`;

/** Keeps the first lines up to a number; the last line then counts the others: `- … and 12 more`. */
export function firstLines(lines: readonly string[], most: number): string[] {
  return lines.length <= most ? [...lines] : [...lines.slice(0, most), `- … and ${lines.length - most} more`];
}
