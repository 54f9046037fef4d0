import { oneLine } from "../../harness/results/format.ts";
import type { Report } from "../../harness/results/model.ts";
import { CLAIMS_NOTE, type ClaimLines, claimLines, claimsSummary } from "../claims.ts";
import { forTerminal } from "./border.ts";
import { paint, type Style, type TerminalOptions, widthLimit, wrap } from "./table.ts";

const STYLES: Readonly<Record<ClaimLines["status"], Style>> = {
  confirmed: "green",
  refuted: "red",
  depends: "yellow",
  "cannot-tell": "yellow",
  "not-comparable": "dim",
  "not-examined": "dim",
};

/** Returns each claim with its verdict, its figures and its origin. Empty where the run tested none. */
export function claimsText(report: Report, options: TerminalOptions = {}, ids?: readonly string[]): string {
  const claims = claimLines(forTerminal(report), ids);
  if (claims.length === 0) return "";
  const indented = (text: string, indent: string, style: Style | undefined): string[] =>
    wrap(oneLine(text), widthLimit(options) - indent.length).map((line) => indent + paint(style, line, options));
  const blocks = claims.map(({ status, mark, text, verdict, parts, origin }) => [
    ...indented(`${mark} ${text}`, "", "bold"),
    ...indented(verdict, "  ", STYLES[status]),
    ...parts.flatMap((part) => indented(part, "    ", undefined)),
    ...indented(origin, "    ", "dim"),
  ]);
  return [
    ...indented(claimsSummary(claims), "", "bold"),
    ...blocks.flat(),
    "",
    ...indented(CLAIMS_NOTE, "", "dim"),
  ].join("\n");
}
