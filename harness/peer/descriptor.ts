import { closeSync, constants, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Descriptor } from "../../scenarios/check.ts";
import { crc32 } from "../rpc/crc32.ts";

/** Largest size of a described file, bytes: more than any check uses. It is needed as descriptors are not trusted. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads the file that a descriptor names, verifies every byte, and writes a copy beside it. This carries data that is
 * too large for a message. The descriptor is not trusted: the file must be ours, regular, private and of that size.
 *
 * @throws Error with the fault of the descriptor
 */
export function echoDescriptor(json: Uint8Array): Descriptor {
  const { path, bytes, checksum } = JSON.parse(new TextDecoder().decode(json)) as Descriptor;
  if (typeof path !== "string" || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > MAX_BYTES) {
    throw new Error("not a descriptor");
  }
  const data = readPrivate(path, bytes);
  if (crc32(data) !== checksum) throw new Error("the bytes of the file do not match the descriptor's checksum");
  const echo = join(dirname(path), `${basename(path)}.echo`);
  writeFileSync(echo, data, { mode: 0o600, flag: "wx" });
  return { path: echo, bytes, checksum };
}

function readPrivate(path: string, bytes: number): Uint8Array {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const stat = fstatSync(fd);
    const foreign = process.getuid !== undefined && (stat.uid !== process.getuid() || (stat.mode & 0o077) !== 0);
    if (!stat.isFile() || foreign || stat.size !== bytes) throw new Error("not a private file of the described size");
    const data = new Uint8Array(bytes);
    for (let at = 0; at < bytes; ) {
      const read = readSync(fd, data, at, bytes - at, at);
      if (read === 0) throw new Error("the file ended early");
      at += read;
    }
    return data;
  } finally {
    closeSync(fd);
  }
}
