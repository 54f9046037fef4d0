import { closest, distance } from "fastest-levenshtein";

/** One sentence for a name that does not exist: the nearest that does, and all of them. */
export function unknownName(what: string, input: string, valid: readonly string[]): string {
  const near = nearest(input, valid);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return `unknown ${what} "${input}"${hint}; valid: ${valid.join(", ")}`;
}

function nearest(input: string, valid: readonly string[]): string | undefined {
  if (valid.length === 0) return undefined;
  const name = closest(input, valid as string[]);
  return distance(input, name) <= Math.max(2, Math.floor(name.length / 3)) ? name : undefined;
}
