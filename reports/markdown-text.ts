import { oneLine } from "../harness/results/format.ts";

/** Escapes text of a report for a line or table cell: no markup, no @mention, no end of the cell. */
export function markdownText(value: string): string {
  return oneLine(value)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[\\`*_[\]|~#]/g, "\\$&")
    .replace(/@/g, "&#64;");
}

/**
 * Formats text of a report as code. A bar or a backslash could end a table cell even there, so such a text is code by
 * markup instead of by backquotes.
 */
export function markdownCode(value: string): string {
  const text = oneLine(value);
  return /[\\|`]/.test(text) ? `<code>${markdownText(text)}</code>` : `\`${text}\``;
}

/** Escapes text of a report for a line of markup within markdown, where a backslash escapes nothing. */
export function markupText(value: string): string {
  return oneLine(value).replace(/[&<>"'@]/g, (character) => `&#${character.charCodeAt(0)};`);
}
