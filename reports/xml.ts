import { visibleLines } from "../harness/results/format.ts";

/** Escapes text for an element, and replaces what XML 1.0 cannot write: control characters, U+FFFE and U+FFFF. */
export function xmlText(value: string): string {
  return visibleLines(value)
    .replace(/[\ufffe\uffff]/g, "�")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}
