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

/** Formats text of a report as code. */
export function markdownCode(value: string): string {
  return `\`${oneLine(value).replaceAll("`", "'").replaceAll("|", "\\|")}\``;
}
