import type { PrefixFormat } from "../support/length-prefix.ts";

/** Largest length that fits the short header, an `int` in network order. */
const SHORT_LIMIT = 0x7fff_ffff;
/** Mark in the short header: the length follows as an unsigned 64-bit integer, network order (Python 3.8 and later). */
const LONG_MARK = 0xffff_ffff;
const SHORT_BYTES = 4;
const LONG_BYTES = 12;
export const LONGEST_PREFIX_BYTES: number = LONG_BYTES;

/**
 * The header of `multiprocessing.connection` on sockets: `!i` length, or `!i` -1 and `!Q` length above 2 GiB - 1.
 * Python reads any other negative length as an empty message and then misreads the stream; here it is an error.
 * A long length is exact up to 2^53. Above that it is rounded, but exceeds every limit anyway.
 */
export const PYTHON_PREFIX: PrefixFormat = {
  minBytes: SHORT_BYTES,
  bytesAt: (bytes, at) => (readU32(bytes, at) === LONG_MARK ? LONG_BYTES : SHORT_BYTES),
  lengthAt(bytes, at) {
    const short = readU32(bytes, at);
    if (short === LONG_MARK) return readU32(bytes, at + 4) * 2 ** 32 + readU32(bytes, at + 8);
    return short > SHORT_LIMIT ? short - 2 ** 32 : short;
  },
  bytesFor: (messageBytes) => (messageBytes > SHORT_LIMIT ? LONG_BYTES : SHORT_BYTES),
  write(frame, messageBytes) {
    if (messageBytes <= SHORT_LIMIT) {
      writeU32(frame, 0, messageBytes);
      return;
    }
    writeU32(frame, 0, LONG_MARK);
    writeU32(frame, 4, Math.floor(messageBytes / 2 ** 32));
    writeU32(frame, 8, messageBytes % 2 ** 32);
  },
  excess: "IPC_TOO_LARGE",
};

function readU32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
