import { visibleLines } from "../harness/results/format.ts";

/** Text as the content of an element. XML 1.0 has no way to write most control characters, and none at all to write the last two of the plane. */
export function xmlText(value: string): string {
  return visibleLines(value)
    .replace(/[\ufffe\uffff]/g, "�")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}
