import { readFileSync, statfsSync } from "node:fs";

/**
 * Reads a soft limit from /proc/self/limits. Returns Infinity for no limit, and null where the system does not show it.
 */
export function softLimit(name: string): number | null {
  let text: string;
  try {
    text = readFileSync("/proc/self/limits", "latin1");
  } catch {
    return null;
  }
  const line = text.split("\n").find((each) => each.startsWith(name));
  const value = line?.slice(name.length).trim().split(/\s+/)[0];
  if (value === undefined) return null;
  return value === "unlimited" ? Number.POSITIVE_INFINITY : Number(value);
}

/** Returns size and free space of the file system of a directory, bytes. */
export function spaceIn(directory: string): { readonly totalBytes: number; readonly freeBytes: number } {
  const { blocks, bavail, bsize } = statfsSync(directory);
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
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
