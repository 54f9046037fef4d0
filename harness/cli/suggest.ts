import { closest, distance } from "fastest-levenshtein";

/** Largest number of names in a sentence. */
const MOST_LISTED = 60;

/** Writes a sentence for a name that does not exist: the nearest that does, and all of them where they are few. */
export function unknownName(what: string, input: string, valid: readonly string[]): string {
  const near = nearName(input, valid);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  if (valid.length <= MOST_LISTED) return `unknown ${what} "${input}"${hint}; valid: ${valid.join(", ")}`;
  if (near !== undefined) return `unknown ${what} "${input}"${hint}`;
  const groups = [...new Set(valid.map((name) => name.replace(/\/[^/]*$/, "")))];
  return `unknown ${what} "${input}"; valid are these groups and the names below them: ${groups.join(", ")}`;
}

/** Returns the name that a mistyped one begins, the shortest one; otherwise one that it is nearly, or a part of. */
export function nearName(input: string, valid: readonly string[]): string | undefined {
  const begun = valid.filter((name) => input.length > 2 && name.startsWith(input));
  const [shortest] = begun.toSorted((a, b) => a.length - b.length);
  return shortest ?? nearest(input, valid) ?? valid.find((name) => input.length > 2 && name.includes(input));
}

function nearest(input: string, valid: readonly string[]): string | undefined {
  if (valid.length === 0) return undefined;
  const name = closest(input, valid as string[]);
  return distance(input, name) <= Math.max(2, Math.floor(name.length / 3)) ? name : undefined;
}
