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

/** Folds text behind a line to click. */
export function folded(name: string, body: string, open = false): string {
  return `<details${open ? " open" : ""}><summary>${markupText(name)}</summary>\n\n${body}\n\n</details>`;
}

/**
 * Writes a table of cells that are markdown already.
 *
 * @param texts columns of text; the others hold numbers and are aligned to the right
 */
export function tableOf(
  head: readonly string[],
  texts: readonly number[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [head, head.map((_, at) => (texts.includes(at) ? "---" : "--:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
