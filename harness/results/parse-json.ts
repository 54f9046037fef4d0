/** A report has seven levels. What is nested deeper than this would end programs that walk it. */
const MOST_LEVELS = 32;
/** Members and elements together. Each takes up to a hundred bytes of memory, however few of the file. */
const MOST_VALUES = 5_000_000;

/** Parses JSON that somebody else wrote. @throws Error when it is none, or when it would not fit into memory or a stack */
export function parseJson(text: string): unknown {
  refuseShape(text);
  const value: unknown = JSON.parse(text);
  refusePrototypes(value);
  return value;
}

/** Counts brackets and commas outside of strings; whether the text is JSON at all is left to the parser. */
function refuseShape(text: string): void {
  let level = 0;
  let values = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === ",") values++;
    else if (character === "[" || character === "{") {
      values++;
      if (++level > MOST_LEVELS) throw new Error(`it is nested more than ${MOST_LEVELS} levels deep`);
    } else if (character === "]" || character === "}") level--;
    if (values > MOST_VALUES) throw new Error(`it has more than ${MOST_VALUES} values`);
  }
}

/** Such a key becomes a field here and the prototype of whatever a later copy makes of it. */
function refusePrototypes(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw new Error('it has a key "__proto__"');
  for (const part of Object.values(value)) refusePrototypes(part);
}
