import { readFileSync } from "node:fs";

const ASSIGNMENTS: Readonly<Record<string, RegExp>> = {
  ts: /^(?:export )?const ([A-Z_]+)(?:: number)? = (.+);$/gm,
  py: /^([A-Z_][A-Z_, ]*) = (.+)$/gm,
  h: /^#define (\w+) (.+)$/gm,
  c: /^#define (\w+) (.+)$/gm,
};

/** Reads the named numbers at the top level of a TypeScript, Python or C file, as text; sums and products count too. */
export function constantsIn(file: URL): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  const factor = (text: string): number => found[text.trim()] ?? Number(text.trim().replace(/(?<=^[\da-fx]+)u$/, ""));
  const product = (text: string): number => text.split("*").reduce((value, part) => value * factor(part), 1);
  const sum = (text: string): number =>
    text
      .replace(/[()]/g, "")
      .split("+")
      .reduce((value, part) => value + product(part), 0);
  const pattern = ASSIGNMENTS[file.pathname.slice(file.pathname.lastIndexOf(".") + 1)] as RegExp;
  for (const [, names = "", values = ""] of readFileSync(file, "utf8").matchAll(pattern)) {
    const texts = values.split(", ");
    for (const [index, name] of names.split(", ").entries()) {
      const value = sum(texts[index] ?? "");
      if (!Number.isNaN(value)) found[name] = value;
    }
  }
  return found;
}
