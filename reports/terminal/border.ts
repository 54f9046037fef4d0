import { oneLine, visible } from "../../harness/results/format.ts";

/** Fields that may hold a whole stack trace: a table shows the first line. */
const OF_SEVERAL_LINES: ReadonlySet<string> = new Set(["reason", "error"]);

/**
 * Makes a part of a report safe to show on a terminal. All text, keys included, may come from foreign modules and
 * machines; colours are added afterwards.
 *
 * @returns the same object where nothing had to be replaced
 */
export function forTerminal<Part>(part: Part, key = ""): Part {
  if (typeof part === "string") return (OF_SEVERAL_LINES.has(key) ? oneLine(part) : visible(part)) as Part;
  if (typeof part !== "object" || part === null) return part;
  if (Array.isArray(part)) {
    const items = part.map((item) => forTerminal(item, key));
    return items.some((item, at) => item !== part[at]) ? (items as Part) : part;
  }
  const fields = Object.entries(part).map(([name, value]) => [visible(name), forTerminal(value, name)] as const);
  const isSame = fields.every(([name, value]) => part[name as keyof Part] === value);
  return isSame ? part : (Object.fromEntries(fields) as Part);
}
