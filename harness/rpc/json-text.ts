/** Finds values in the bytes of valid JSON, so that they can be copied as they are. UTF-8 hides no ASCII bytes. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];
const LARGEST_SPACE = 0x20;

/** Returns the values of an object by name, as parts of `text`. @param text valid JSON of an object */
export function membersOf(text: Uint8Array): Map<string, Uint8Array> {
  const members = new Map<string, Uint8Array>();
  let at = afterSpace(text, afterSpace(text, 0) + 1);
  while (text[at] === QUOTE) {
    const nameEnd = stringEnd(text, at);
    const name: unknown = JSON.parse(Buffer.from(text.subarray(at, nameEnd)).toString());
    const start = afterSpace(text, afterSpace(text, nameEnd) + 1);
    const end = valueEnd(text, start);
    members.set(String(name), text.subarray(start, end));
    at = afterSpace(text, end);
    if (text[at] === COMMA) at = afterSpace(text, at + 1);
  }
  return members;
}

/** Returns the index behind the string that begins at `start`. */
export function stringEnd(text: Uint8Array, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === BACKSLASH) at++;
    else if (text[at] === QUOTE) return at + 1;
  }
  return text.length;
}

/** Returns the index of the first byte that is no white space. */
export function afterSpace(text: Uint8Array, from: number): number {
  let at = from;
  while (at < text.length && (text[at] as number) <= LARGEST_SPACE) at++;
  return at;
}

/** True where the string that ends before `end` is the name of a member. */
export function isName(text: Uint8Array, end: number): boolean {
  return text[afterSpace(text, end)] === COLON;
}

function valueEnd(text: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const byte = text[at] as number;
    if (byte === QUOTE) {
      at = stringEnd(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (OPENING.includes(byte)) depth++;
    else if (CLOSING.includes(byte)) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || byte <= LARGEST_SPACE)) return at;
    at++;
  }
  return text.length;
}
