/** Largest number of levels. A report has seven; deeper nesting would end programs that walk it. */
const MOST_LEVELS = 32;
/**
 * Largest number of members and elements. Each takes up to a hundred bytes of memory, even where it takes few of the
 * file.
 */
const MOST_VALUES = 5_000_000;

/** Parses foreign JSON. @throws Error when it is invalid, or would not fit into memory or a stack */
export function parseJson(text: string): unknown {
  refuseShape(text);
  const value: unknown = JSON.parse(text);
  refusePrototypes(value);
  return value;
}

/** Counts brackets and commas outside of strings; the parser judges the rest. */
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

/** Refuses the key `__proto__`. Here it is a field; in a later copy it would become the prototype. */
function refusePrototypes(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw new Error('it has a key "__proto__"');
  for (const part of Object.values(value)) refusePrototypes(part);
}
