import { isName, stringEnd } from "../rpc/json-text.ts";

const QUOTE = 0x22;
const FILL = 0x78;
const ONE = 0x31;
const LETTER_A = 0x61;
const PADDING = 0x5f;
const LETTERS = 26;
/** Names of members of a JSON-RPC message, which are kept. */
const KEPT_NAMES: readonly string[] = ["jsonrpc", "id", "method", "params", "result", "error"];
const KEPT_VALUES: readonly string[] = ["jsonrpc", "method"];

/**
 * Returns JSON of the same size and structure without its contents: strings, names of members and numbers are replaced.
 * Only these parts of a JSON-RPC message stay: the names that the protocol defines, the version and the method.
 *
 * @param text valid JSON
 */
export function redacted(text: Uint8Array): Uint8Array {
  const result = Uint8Array.from(text);
  let depth = 0;
  let names = 0;
  let keepsNext = false;
  for (let at = 0; at < text.length; ) {
    const byte = text[at] as number;
    if (byte === QUOTE) {
      const end = stringEnd(text, at);
      const content = result.subarray(at + 1, end - 1);
      if (isName(text, end)) {
        const name = depth === 1 ? Buffer.from(content).toString("latin1") : "";
        if (!KEPT_NAMES.includes(name)) rename(content, names++);
        keepsNext = KEPT_VALUES.includes(name);
      } else {
        if (!keepsNext) content.fill(FILL);
        keepsNext = false;
      }
      at = end;
      continue;
    }
    if (byte === 0x7b || byte === 0x5b) {
      depth++;
      keepsNext = false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte >= 0x30 && byte <= 0x39) result[at] = ONE;
    at++;
  }
  return result;
}

/** Replaces a name by a number in letters, and padding. So names that are long enough stay different. */
function rename(name: Uint8Array, number: number): void {
  name.fill(PADDING);
  for (let at = 0, left = number; at < name.length && (at === 0 || left > 0); at++) {
    name[at] = LETTER_A + (left % LETTERS);
    left = Math.floor(left / LETTERS);
  }
}
