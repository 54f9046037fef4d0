import { closeSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { OsObject } from "../contract/transport.ts";
import { MappedFile } from "../posix/mapped-file.ts";
import type { Mapping } from "../posix/mapping.ts";
import { Semaphore } from "../posix/semaphore.ts";
import { SharedMemory } from "../posix/shared-memory.ts";
import { Control, Pair } from "./layout.ts";

/** An open, mapped object with a name, whichever kind. */
export interface Segment extends Disposable {
  readonly name: string;
  readonly mapping: Mapping;
  readonly fd: number;
  close(): void;
}

/** Where segments live: the two mechanisms of this folder differ in nothing else. */
export interface Store {
  /** Zeroed, 0600, exclusive, memory reserved, locked by us for as long as it is open. */
  create(name: string, byteLength: number): Segment;
  open(name: string, minimumBytes: number): Segment;
  unlink(name: string): boolean;
  /** What the OS holds under this name. */
  inspect(name: string): OsObject | undefined;
  /** The semaphore that belongs to the name. */
  semaphoreName(name: string): string;
}

// Linux shows both kinds of POSIX names here; only looking at them needs it.
const NAMES_DIRECTORY = "/dev/shm/";

/** shm_open(3). Names begin with a slash. */
export const sharedMemoryStore: Store = {
  create: (name, byteLength) => SharedMemory.create(name, byteLength, { lock: true }),
  open: (name, minimumBytes) => SharedMemory.open(name, minimumBytes),
  unlink: (name) => SharedMemory.unlink(name),
  inspect: (name) => inspect("shm", name, NAMES_DIRECTORY + name.slice(1)),
  semaphoreName: (name) => name,
};

/** mmap(2) of a regular file. Names are absolute paths. */
export const mappedFileStore: Store = {
  create: (path, byteLength) => MappedFile.create(path, byteLength, { lock: true }),
  open: (path, minimumBytes) => MappedFile.open(path, minimumBytes),
  unlink: (path) => isOurs(path) && MappedFile.unlink(path),
  inspect: (path) => inspect("path", path, path),
  semaphoreName: (path) => `/${basename(path)}`,
};

export function inspectSemaphore(name: string): OsObject | undefined {
  return inspect("semaphore", name, `${NAMES_DIRECTORY}sem.${name.slice(1)}`);
}

export function unlinkSemaphore(name: string): boolean {
  return Semaphore.unlink(name);
}

/** Whether a file is one of these segments, or one that was being made: anything else at the path stays. */
function isOurs(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isFile()) return false;
  const magic = Buffer.alloc(4);
  const fd = openSync(path, "r");
  try {
    if (readSync(fd, magic, 0, magic.length, 0) < magic.length) return status.size === 0;
  } finally {
    closeSync(fd);
  }
  return [0, Control.magic, Pair.magic].includes(magic.readUInt32LE(0));
}

function inspect(kind: OsObject["kind"], name: string, path: string): OsObject | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? undefined : { kind, name, mode: status.mode & 0o777 };
}
