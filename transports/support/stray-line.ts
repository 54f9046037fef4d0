import { stripVTControlCharacters } from "node:util";

const MOST_BYTES = 80;
/** A text without control characters, and without what stands for bytes that are no UTF-8. */
const PRINTED = /^[\t\P{Cc}]+$/u;
const REPLACEMENT = "\ufffd";

/**
 * Returns the first line of bytes that are no message, if it is a text, quoted and at most 80 bytes long: usually a
 * program printed it where its messages belong. Undefined if the bytes are no text.
 */
export function strayLine(bytes: Uint8Array): string | undefined {
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const whole = bytes.subarray(0, end < 0 ? bytes.length : end);
  const decoded = Buffer.from(whole.subarray(0, MOST_BYTES)).toString();
  // Without colours, and without a character that was cut at the end.
  const text = stripVTControlCharacters(decoded).replace(/\ufffd+$/, "");
  if (!PRINTED.test(text) || text.includes(REPLACEMENT)) return undefined;
  return JSON.stringify(text) + (whole.length > MOST_BYTES ? "…" : "");
}
