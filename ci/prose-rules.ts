/** Rules of plain English as pure functions; `prose.test.ts` applies them to files, and to text that breaks them. */

/** Longest line of code, comment or text. */
export const COLUMNS = 120;

/** Beginnings of a doc comment that are neither a verb nor the noun that its name stands for. */
const OPENINGS =
  /^(Of|What|Whether|So (much|many|few|long|large)|Such|That|How (much|many|long|late|far)|Where it|Who)\b/;

/** Things that people do and code does not. */
const PERSONS =
  /\b(says?|said|hears?|heard|knows?|knew|takes? its leave|looks? around|tells (?!.*\bapart\b)(?!.* from\b))\b/i;

/** Names that gave way to others. */
const GONE = new RegExp(
  `\\b(${[
    "Brood|Stranger|twoHumped|looksAround|silenceMs|hindrance|answerAtOnce",
    "runAhead|NOT_PLAIN|readPlain|readAny|FILLING|Pulse[ds]?",
  ].join("|")})\\b`,
);

export interface Finding {
  readonly line: number;
  readonly rule: "columns" | "opening" | "person" | "name";
  readonly text: string;
}

/** Returns the comment of a line: behind `//`, `*`, `#`, or the opening of a block. Undefined where there is none. */
function commentIn(line: string): string | undefined {
  return /^\s*(?:\/\*\*?|\*(?!\/)|\/\/|#(?!!|include|define|if|end|else|pragma))\s?(.*?)(?:\s*\*\/)?$/.exec(line)?.[1];
}

/** Returns the lines of a source file that break a rule. */
export function findingsIn(source: string): Finding[] {
  const lines = source.split("\n");
  return lines.flatMap((text, index): Finding[] => {
    const found: Finding[] = [];
    const add = (rule: Finding["rule"]): void => void found.push({ line: index + 1, rule, text: text.trim() });
    if (text.length > COLUMNS && !text.includes("biome-ignore")) add("columns");
    const comment = commentIn(text);
    const opens =
      /^\s*\/\*\*\s+\S/.test(text) || (/^\s*\/\*\*\s*$/.test(lines[index - 1] ?? "") && comment !== undefined);
    if (opens && OPENINGS.test(comment ?? "")) add("opening");
    if (comment !== undefined && PERSONS.test(comment)) add("person");
    if (GONE.test(text)) add("name");
    return found;
  });
}

/** Returns the lines of a document that break a rule. Tables, code and generated sections may be wider. */
export function findingsInDocument(markdown: string): Finding[] {
  let isCode = false;
  let isGenerated = false;
  return markdown.split("\n").flatMap((text, index): Finding[] => {
    if (/^\s*```/.test(text)) isCode = !isCode;
    const mark = /^<!-- [\w-]+: (begin|end) -->$/.exec(text)?.[1];
    if (mark !== undefined) isGenerated = mark === "begin";
    if (isCode || isGenerated) return [];
    const line = { line: index + 1, text: text.trim() };
    return [
      ...(text.length > COLUMNS && !/^\s*\|/.test(text) ? [{ ...line, rule: "columns" as const }] : []),
      ...(PERSONS.test(text.replace(/`[^`]*`/g, "")) ? [{ ...line, rule: "person" as const }] : []),
    ];
  });
}
