import { readFileSync } from "node:fs";

/** Returns the trimmed text of a small file; null when there is none or it may not be read. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}

export function readNumber(path: string): number | null {
  const text = readText(path);
  return text === null || !/^-?\d+$/.test(text) ? null : Number(text);
}
