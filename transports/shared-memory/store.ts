import { closeSync, constants as fs, fstatSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import { toIpcError } from "../contract/errors.ts";
import type { OsObject } from "../contract/transport.ts";
import { errnoError } from "../posix/errno.ts";
import { MappedFile } from "../posix/mapped-file.ts";
import type { Mapping } from "../posix/mapping.ts";
import { checkName } from "../posix/names.ts";
import { Semaphore } from "../posix/semaphore.ts";
import { SharedMemory } from "../posix/shared-memory.ts";
import { createHash } from "../support/crypto.ts";
import { Control, isPairSize, Pair } from "./layout.ts";

/** An open, mapped object with a name, of either kind. */
export interface Segment extends Disposable {
  readonly name: string;
  readonly mapping: Mapping;
  readonly fd: number;
  close(): void;
}

/** Place of segments: shared-memory objects or files. Throws only IpcErrors. */
export interface Store {
  /** Creates a segment: zeroed, 0600, exclusive, memory reserved, locked by us for as long as it is open. */
  create(name: string, byteLength: number): Segment;
  open(name: string, minimumBytes: number): Segment;
  /** Removes the name if it leads to a segment of ours, complete or not; anything else stays. */
  unlink(name: string, state?: State): boolean;
  /** Returns the object that the OS holds under this name. */
  inspect(name: string): OsObject | undefined;
  /** Returns the name of the semaphore that belongs to the name. */
  semaphoreName(name: string): string;
  /** Returns the path of the segment in the file system. @throws IpcError if the name is invalid */
  path(name: string): string;
}

/**
 * Condition under which a segment counts as ours:
 *
 * - `finished`: it has our mark.
 * - `any`: it has our mark, or no mark and one of our sizes, because its owner may have died while making it.
 * - `claimed`: it has the size of a pair of rings. Its mark does not count, because its client can overwrite it. Only
 *   for names that a client of ours was given.
 */
export type State = "finished" | "any" | "claimed";

// Directory in which Linux shows both kinds of POSIX names; needed only to inspect them.
const NAMES_DIRECTORY = "/dev/shm/";
/** Prefix that the C library puts in front of a semaphore's name. */
export const SEMAPHORE_PREFIX = "sem.";

/** shm_open(3). Names begin with a slash. */
export const sharedMemoryStore: Store = {
  create: (name, byteLength) => SharedMemory.create(name, byteLength, { lock: true }),
  open: (name, minimumBytes) => SharedMemory.open(name, minimumBytes),
  unlink: (name, state) => isOurs(sharedMemoryPath(name), state) && SharedMemory.unlink(name),
  inspect: (name) => inspect("shm", name, sharedMemoryPath(name)),
  semaphoreName: (name) => name,
  path: sharedMemoryPath,
};

const HASH_DIGITS = 16;

/** mmap(2) of a regular file. Names are absolute paths. */
export const mappedFileStore: Store = {
  create: (path, byteLength) => MappedFile.create(path, byteLength, { lock: true }),
  open: (path, minimumBytes) => MappedFile.open(path, minimumBytes),
  unlink: (path, state) => isOurs(path, state) && MappedFile.unlink(path),
  inspect: (path) => inspect("path", path, path),
  // Uses the whole path, since files with one name in two directories are two servers. Python makes the same name.
  semaphoreName: (path) =>
    `/${basename(path)}-${createHash("sha256").update(path).digest("hex").slice(0, HASH_DIGITS)}`,
  path: (path) => path,
};

function sharedMemoryPath(name: string): string {
  checkName(name);
  return NAMES_DIRECTORY + name.slice(1);
}

export function inspectSemaphore(name: string): OsObject | undefined {
  checkName(name, SEMAPHORE_PREFIX.length);
  return inspect("semaphore", name, `${NAMES_DIRECTORY}${SEMAPHORE_PREFIX}${name.slice(1)}`);
}

export function unlinkSemaphore(name: string): boolean {
  return Semaphore.unlink(name);
}

/** Opens a regular file, which may be too small to be mapped; undefined for anything else. */
export function openPlain(path: string, access: "r" | "r+"): number | undefined {
  return saying(path, () => {
    const status = lstatSync(path, { throwIfNoEntry: false });
    // Opening a FIFO could wait, and a link may lead anywhere.
    if (status === undefined || !status.isFile()) return undefined;
    return openSync(path, (access === "r" ? fs.O_RDONLY : fs.O_RDWR) | fs.O_NOFOLLOW | fs.O_NONBLOCK);
  });
}

/** True if the name still leads to the open object; another process may have replaced it. */
export function leadsTo(path: string, fd: number): boolean {
  return saying(path, () => {
    const named = lstatSync(path, { throwIfNoEntry: false, bigint: true });
    const open = fstatSync(fd, { bigint: true });
    return named !== undefined && named.ino === open.ino && named.dev === open.dev;
  });
}

/** Reads the first word of a file and its size; the word is 0 if the file is too short. */
export function readHead(fd: number): { readonly magic: number; readonly size: number } {
  const head = Buffer.alloc(4);
  readSync(fd, head, 0, head.length, 0);
  return { magic: head.readUInt32LE(0), size: fstatSync(fd).size };
}

function isOurs(path: string, state: State = "any"): boolean {
  const fd = openPlain(path, "r");
  if (fd === undefined) return false;
  try {
    const { magic, size } = readHead(fd);
    if (state === "claimed" && isPairSize(size)) return true;
    if (magic !== 0) return magic === Control.magic || magic === Control.begun || magic === Pair.magic;
    return state !== "finished" && (size === 0 || size === Control.bytes || isPairSize(size));
  } finally {
    closeSync(fd);
  }
}

function inspect(kind: OsObject["kind"], name: string, path: string): OsObject | undefined {
  const status = saying(path, () => statSync(path, { throwIfNoEntry: false }));
  return status === undefined ? undefined : { kind, name, mode: status.mode & 0o777 };
}

/** Converts Node's own errors, which carry the negated number and no remedy. */
function saying<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { errno, syscall } = error as NodeJS.ErrnoException;
    throw errno === undefined ? toIpcError(error, "segment") : errnoError(-errno, syscall ?? "open", path);
  }
}
