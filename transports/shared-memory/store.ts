import { closeSync, constants as fs, fstatSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { constants } from "node:os";
import { basename, join } from "node:path";
import { toIpcError } from "../contract/errors.ts";
import type { Availability, OsObject, Place } from "../contract/transport.ts";
import { posixAvailability } from "../posix/binding.ts";
import { errnoError } from "../posix/errno.ts";
import { isOwned } from "../posix/lock.ts";
import { MappedFile } from "../posix/mapped-file.ts";
import type { SharedView } from "../posix/mapping.ts";
import { checkName } from "../posix/names.ts";
import { Semaphore } from "../posix/semaphore.ts";
import { SharedMemory } from "../posix/shared-memory.ts";
import { createHash } from "../support/crypto.ts";
import { distinctName } from "../support/distinct-name.ts";
import { lockResidue, sweepLocks } from "../support/path-lock.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";
import { Control, isPairSize, Pair } from "./layout.ts";
import type { WaitSemaphore } from "./waits.ts";

/** An open, mapped object with a name, of either kind. */
export interface Segment extends Disposable {
  readonly name: string;
  readonly mapping: SharedView;
  close(): void;
}

/** Place of segments on one system: shared-memory objects or files, and what belongs to them. Throws only IpcErrors. */
export interface Store {
  /** Languages besides JavaScript that can use it, and have a peer of ours. */
  readonly languages: readonly string[];
  availability(): Availability;
  /** Returns a new name at this place. */
  allocate(place: Place): string;
  /** Creates a segment: zeroed, exclusive, closed to others, memory reserved, known as ours as long as it is open. */
  create(name: string, byteLength: number): Segment;
  open(name: string, minimumBytes: number): Segment;
  /**
   * Makes the segment of a dead server ours, and marks it as begun. Clients that still have it open find that its maker
   * is another one. Present where a name cannot be removed while others have it open.
   *
   * @param refuse makes the error for what cannot be taken over
   */
  adopt?(name: string, refuse: Refusal): Segment;
  /** True while the process that made the segment lives and has it open. */
  isOwned(segment: Segment): boolean;
  /** True if the name still leads to the segment; another process may have replaced it. */
  isNamed(segment: Segment): boolean;
  /** True if a living process has made an object of that name that has no size yet. */
  isBeingMade(name: string): boolean;
  /** Removes the name if it leads to a segment of ours, complete or not; anything else stays. */
  unlink(name: string, state?: State): boolean;
  /** Returns the object that the OS holds under this name. */
  inspect(name: string): OsObject | undefined;
  /** Makes (`create`) or opens the semaphore that belongs to a segment. */
  semaphore(segment: Segment, create: boolean): WaitSemaphore;
  unlinkSemaphore(name: string): boolean;
  inspectSemaphore(name: string): OsObject | undefined;
  /** @throws IpcError if the name of a segment, or that of its semaphore, is invalid or too long */
  checkName(name: string, hasSemaphore: boolean): void;
  /** Runs `work` while no other server takes or removes the name. @throws IpcError IPC_ADDRESS_IN_USE */
  withLock<T>(name: string, transport: string, work: () => T): T;
  /** Lists what the lock of the name has left, and removes it. */
  lockResidue(name: string): readonly OsObject[];
  sweepLocks(name: string): Promise<void>;
}

/** Makes the error of a name that is taken: `live` by a server, or by something that is not ours. */
export type Refusal = (by: "live" | "foreign") => Error;

/** A segment that has a descriptor, and a path in the file system. */
export interface PosixSegment extends Segment {
  readonly fd: number;
}
export interface PosixStore extends Store {
  create(name: string, byteLength: number): PosixSegment;
  open(name: string, minimumBytes: number): PosixSegment;
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
const SEMAPHORE_PREFIX = "sem.";

const HASH_DIGITS = 16;

/** shm_open(3). Names begin with a slash. */
export const sharedMemoryStore: PosixStore = posixStore(SharedMemory, "shm", sharedMemoryPath, {
  allocate: ({ prefix }) => `/${prefix}-${distinctName()}`,
  semaphoreName: (name) => name,
});

/** mmap(2) of a regular file. Names are absolute paths. */
export const mappedFileStore: PosixStore = posixStore(MappedFile, "path", (path) => path, {
  allocate: ({ directory, prefix }) => join(directory, `${prefix}-${distinctName()}`),
  // Uses the whole path, since files with one name in two directories are two servers. Python makes the same name.
  semaphoreName: (path) =>
    `/${basename(path)}-${createHash("sha256").update(path).digest("hex").slice(0, HASH_DIGITS)}`,
});

function posixStore(
  objects:
    | Pick<typeof SharedMemory, "create" | "open" | "unlink">
    | Pick<typeof MappedFile, "create" | "open" | "unlink">,
  kind: OsObject["kind"],
  path: (name: string) => string,
  { allocate, semaphoreName }: { allocate: Store["allocate"]; semaphoreName: (name: string) => string },
): PosixStore {
  return {
    languages: ["c", "python"],
    availability: posixAvailability,
    allocate,
    create: (name, byteLength) => objects.create(name, byteLength, { lock: true }),
    open: (name, minimumBytes) => objects.open(name, minimumBytes),
    isOwned: (segment) => isOwned((segment as PosixSegment).fd),
    isNamed: (segment) => leadsTo(path(segment.name), (segment as PosixSegment).fd),
    isBeingMade: (name) => isLocked(path(name)),
    unlink: (name, state) => isOurs(path(name), state) && objects.unlink(name),
    inspect: (name) => inspect(kind, name, path(name)),
    semaphore: ({ name }, create) => Semaphore[create ? "create" : "open"](semaphoreName(name)),
    unlinkSemaphore: (name) => Semaphore.unlink(semaphoreName(name)),
    inspectSemaphore: (name) => inspectSemaphore(semaphoreName(name)),
    checkName(name, hasSemaphore) {
      path(name);
      // Also for files, since a part of a path has the same limit as a POSIX name.
      checkName(`/${basename(name)}`);
      if (hasSemaphore) checkName(semaphoreName(name), SEMAPHORE_PREFIX.length);
    },
    withLock: (name, transport, work) => withPathLockSync(path(name), transport, work),
    lockResidue: (name) => lockResidue(path(name)),
    sweepLocks: (name) => sweepLocks(path(name)),
    path,
  };
}

function sharedMemoryPath(name: string): string {
  checkName(name);
  return NAMES_DIRECTORY + name.slice(1);
}

function inspectSemaphore(name: string): OsObject | undefined {
  checkName(name, SEMAPHORE_PREFIX.length);
  return inspect("semaphore", name, `${NAMES_DIRECTORY}${SEMAPHORE_PREFIX}${name.slice(1)}`);
}

/** True if a process holds the lock of the plain file. */
function isLocked(path: string): boolean {
  const fd = openPlain(path, "r+");
  if (fd === undefined) return false;
  try {
    return isOwned(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens a regular file, which may be too small to be mapped; undefined for anything else. */
export function openPlain(path: string, access: "r" | "r+"): number | undefined {
  return withIpcErrors(path, () => {
    const status = lstatSync(path, { throwIfNoEntry: false });
    // Opening a FIFO could wait, and a link may lead anywhere.
    if (status === undefined || !status.isFile()) return undefined;
    return openSync(path, (access === "r" ? fs.O_RDONLY : fs.O_RDWR) | fs.O_NOFOLLOW | fs.O_NONBLOCK);
  });
}

/** True if the name still leads to the open object; another process may have replaced it. */
export function leadsTo(path: string, fd: number): boolean {
  return withIpcErrors(path, () => {
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

export function isOurs(path: string, state: State = "any"): boolean {
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
  const status = withIpcErrors(path, () => statSync(path, { throwIfNoEntry: false }));
  return status === undefined ? undefined : { kind, name, mode: status.mode & 0o777 };
}

/** Converts Node's own errors, which carry the negated number and no remedy. */
function withIpcErrors<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { errno, code = "", syscall } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw toIpcError(error, "segment");
    // On Windows Node's numbers are its own, and the names are those of the C library.
    throw errnoError((constants.errno as Record<string, number>)[code] ?? -errno, syscall ?? "open", path);
  }
}
