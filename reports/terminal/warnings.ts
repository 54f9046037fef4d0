import { oneLine } from "../../harness/results/format.ts";
import { paint, type TerminalOptions, widthLimit, wrap } from "./table.ts";

/** Largest number of warnings on a terminal; the page and the JSON have all of them. */
const MOST = 12;

/** Returns the warnings of a run, each once; empty where there is none. */
export function warningLines(
  warnings: readonly string[] = [],
  options: TerminalOptions = {},
  most: number = MOST,
): string {
  const found = [...new Set(warnings.map(oneLine))];
  const more = found.length - most;
  const shown = more > 0 ? [...found.slice(0, most), `${more} more in the stored report`] : found;
  return shown
    .flatMap((text) => wrap(`warning: ${text}`, widthLimit(options)))
    .map((line) => paint("yellow", line, options))
    .join("\n");
}
