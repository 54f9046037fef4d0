import { readFileSync } from "node:fs";

/** The trimmed text of a small file; null when there is none or it may not be read. */
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

/** The soft limit of a line of /proc/self/limits; Infinity for none, null where it is not told. */
export function softLimit(name: string): number | null {
  return limit(name, 0);
}

/** As far as a process may raise its soft limit itself. */
export function hardLimit(name: string): number | null {
  return limit(name, 1);
}

function limit(name: string, column: 0 | 1): number | null {
  const line = readText("/proc/self/limits")
    ?.split("\n")
    .find((each) => each.startsWith(name));
  const value = line?.slice(name.length).trim().split(/\s+/)[column];
  if (value === undefined) return null;
  return value === "unlimited" ? Number.POSITIVE_INFINITY : Number(value);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function inBytes(bytes: number): string {
  if (bytes === Number.POSITIVE_INFINITY) return "unlimited";
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
