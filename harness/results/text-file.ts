import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";

/** Largest file: far more than the longest run writes, and small enough to be parsed on a small machine. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Byte order marks of the encodings that editors and PowerShell write. The decoders remove them. */
const ENCODINGS: readonly (readonly [mark: readonly number[], label: string])[] = [
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];

/**
 * Reads a whole file of text: UTF-8, or UTF-16 with its byte order mark. Never waits: everything that is no regular
 * file is refused, a FIFO without a writer included.
 *
 * @throws Error that names what the file is instead
 */
export function readTextFile(path: string): string {
  return decode(readBytes(path));
}

/** Reads a whole file with the same limits. @throws Error that names what the file is instead */
export function readBytes(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error(`it is ${kindOf(stats)} and no regular file`);
    if (stats.size > MOST_BYTES) throw new Error(`it has ${stats.size} bytes, and at most ${MOST_BYTES} are read`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a FIFO";
  return stats.isSocket() ? "a socket" : "a device";
}

function decode(bytes: Buffer): string {
  if (bytes.length === 0) throw new Error("it is empty");
  const [, label = "utf-8"] = ENCODINGS.find(([mark]) => mark.every((byte, at) => bytes[at] === byte)) ?? [];
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`its bytes are no ${label.toUpperCase()} text`);
  }
}
