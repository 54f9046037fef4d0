import {
  accessSync,
  closeSync,
  existsSync,
  constants as fs,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IpcError, toIpcError } from "../contract/errors.ts";
import type { OsObject } from "../contract/transport.ts";
import { createHash } from "./crypto.ts";
import { hasErrno } from "./has-errno.ts";
import { checkSocketPath } from "./socket-path-limit.ts";
import { isListening } from "./stream-client.ts";

/** Longest wait for the lock. Owners hold it for a few system calls, so a lock that is busy this long is broken. */
const WAIT_LIMIT_MS = 2000;
const RETRY_MS = 3;
const HASH_DIGITS = 8;
/** Characters that `mkdtemp` puts behind the prefix. */
const SUFFIX_CHARACTERS = 6;
/** Path to open directories on Linux. Files are named through it, so no path is too long and none can be exchanged. */
const DESCRIPTORS = "/proc/self/fd";
const HAS_DESCRIPTORS = existsSync(DESCRIPTORS);

/**
 * Steps of taking a lock, for callers with and without an event loop. The caller must find out if somebody listens at
 * the path when it gets a string, and wait that many milliseconds when it gets a number.
 */
export type LockSteps<Result> = Generator<string | number, Result, boolean>;

/**
 * Runs `work` while no other process runs work for the same path through this function or `withPathLockSync`. Otherwise
 * two servers could both find that nobody listens there, and both take over the stale path.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE if the lock stays busy or its entry belongs to another user, IPC_SYSTEM
 */
export async function withPathLock<T>(path: string, transport: string, work: () => Promise<T>): Promise<T> {
  // Throws ENOENT where there is no directory; libuv would replace it, and the server would get EACCES.
  statSync(dirname(path));
  const release = await runSteps(takePathLock(path, transport));
  try {
    return await work();
  } finally {
    release();
  }
}

async function runSteps<Result>(steps: LockSteps<Result>): Promise<Result> {
  try {
    let step = steps.next(false);
    while (!step.done) {
      const { value } = step;
      step = steps.next(typeof value === "string" ? await isListening({ path: value }) : await delay(value, false));
    }
    return step.value;
  } finally {
    steps.return(undefined as Result);
  }
}

/**
 * Takes the lock of a path. The lock is a directory beside the path with one socket in it, on which the owner listens.
 * So only processes that may write there can take it, in any namespace, and the kernel ends it with its owner.
 *
 * Everybody prepares a directory with a listening socket and renames it onto the entry. That succeeds if there is no
 * entry or an empty one. If the socket in the entry refuses connections, its owner is dead. It is then removed by its
 * name, which is never used again, so that a slow newcomer cannot remove the socket of a living owner.
 *
 * @returns the function that releases it
 */
export function* takePathLock(path: string, transport: string): LockSteps<() => void> {
  const entry = `${prefixOf(path)}lock`;
  const untilMs = performance.now() + WAIT_LIMIT_MS;
  // Without write permission no server can start here, and its own error is clearer than one of the lock.
  if (!isWritable(dirname(path))) return () => undefined;
  let claim: Claim | undefined;
  try {
    for (;;) {
      refuseForeign(entry, path, transport);
      if (yield* isAbandoned(entry)) {
        claim ??= Claim.prepare(path, transport);
        if (claim?.moveTo(entry)) {
          yield* removeAbandoned(entriesOf([path]).filter((each) => each !== entry && isFinal(each)));
          const held = claim;
          claim = undefined;
          return () => held.end();
        }
        if (claim?.isIntact() === false) claim = claim.end();
      }
      if (performance.now() > untilMs) throw busy(entry, path, transport);
      yield RETRY_MS;
    }
  } catch (error) {
    throw toIpcError(error, transport);
  } finally {
    claim?.end();
  }
}

/** A listening socket in a private directory, and a descriptor of that directory. */
class Claim {
  readonly #name: string;
  readonly #inside: OwnDirectory;
  readonly #server: Server;

  private constructor(inside: OwnDirectory) {
    this.#inside = inside;
    this.#name = inside.path.slice(-SUFFIX_CHARACTERS);
    this.#server = createServer((socket) => socket.destroy());
    // The error event comes a turn later; `listening` shows the failure now.
    this.#server.on("error", () => undefined);
    this.#server.listen({ path: inside.at(this.#name), exclusive: true }).unref();
  }

  /** Returns undefined if another process removed it before the socket listened. @throws IpcError IPC_SYSTEM */
  static prepare(path: string, transport: string): Claim | undefined {
    const longest = "x".repeat(SUFFIX_CHARACTERS);
    if (!HAS_DESCRIPTORS) checkSocketPath(join(prefixOf(path) + longest, longest), transport);
    const directory = mkdtempSync(prefixOf(path));
    let inside: OwnDirectory | undefined;
    try {
      inside = OwnDirectory.open(directory);
    } finally {
      if (inside === undefined) ignoring(() => rmdirSync(directory));
    }
    if (inside === undefined) return undefined;
    const claim = new Claim(inside);
    if (claim.#server.listening || !inside.isThere()) return claim;
    claim.end();
    // If no descriptor is left, this throws that reason.
    closeSync(openSync(dirname(path), fs.O_RDONLY));
    const message = `${transport}: the lock of ${path} cannot make a socket in ${dirname(path)}; use another directory`;
    throw new IpcError("IPC_SYSTEM", message, { transport });
  }

  /** @returns true when the lock is ours now */
  moveTo(entry: string): boolean {
    try {
      renameSync(this.#inside.path, entry);
    } catch (error) {
      if (hasErrno(error, ...NOT_NOW)) return false;
      throw error;
    }
    this.#inside.path = entry;
    return this.isIntact();
  }

  /** False once another process has removed it as abandoned. */
  isIntact(): boolean {
    return this.#inside.isThere() && this.#inside.has(this.#name);
  }

  end(): undefined {
    this.#server.close();
    this.#inside.remove(this.#name);
    this.#inside.close();
    // Another process may have moved its claim here by now: then the directory is not empty and stays.
    ignoring(() => rmdirSync(this.#inside.path));
  }
}

/** An open directory of this user. Files in it are reached by its descriptor, even if its name is exchanged. */
class OwnDirectory {
  /** Current path; updated by whoever renames it. */
  path: string;
  readonly #fd: number;

  private constructor(fd: number, path: string) {
    this.#fd = fd;
    this.path = path;
  }

  /** Opens a directory; undefined when there is none, or it is another user's. */
  static open(path: string): OwnDirectory | undefined {
    let fd: number;
    try {
      fd = openSync(path, fs.O_RDONLY | fs.O_DIRECTORY | fs.O_NOFOLLOW);
    } catch (error) {
      if (hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return undefined;
      throw error;
    }
    if (isOwn(fstatSync(fd))) return new OwnDirectory(fd, path);
    closeSync(fd);
    return undefined;
  }

  at(name: string): string {
    return join(this.#way(), name);
  }

  has(name: string): boolean {
    return lstatSync(this.at(name), { throwIfNoEntry: false }) !== undefined;
  }

  isThere(): boolean {
    const there = lstatSync(this.path, { throwIfNoEntry: false, bigint: true });
    const here = fstatSync(this.#fd, { bigint: true });
    return there !== undefined && there.ino === here.ino && there.dev === here.dev;
  }

  sockets(): string[] {
    const names: string[] = [];
    // The owner may have removed the directory by now.
    ignoring(() => names.push(...readdirSync(this.#way()).filter((name) => name.length === SUFFIX_CHARACTERS)));
    return names.filter((name) => lstatSync(this.at(name), { throwIfNoEntry: false })?.isSocket());
  }

  remove(name: string): void {
    ignoring(() => unlinkSync(this.at(name)));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #way(): string {
    return HAS_DESCRIPTORS ? `${DESCRIPTORS}/${this.#fd}` : this.path;
  }
}

/** Removes sockets of a directory on which nobody listens. @returns true if nobody listens on any of them */
function* isAbandoned(directory: string): LockSteps<boolean> {
  const inside = OwnDirectory.open(directory);
  if (inside === undefined) return true;
  try {
    for (const name of inside.sockets()) {
      if (yield inside.at(name)) return false;
      inside.remove(name);
    }
    return true;
  } finally {
    inside.close();
  }
}

/** True if a claim without a listener is surely abandoned: an entry has had one, and an old claim would have one. */
function isFinal(directory: string): boolean {
  if (directory.endsWith(".lock")) return true;
  const found = lstatSync(directory, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > 2 * WAIT_LIMIT_MS;
}

/** Removes the directories that nobody listens in. */
function* removeAbandoned(directories: readonly string[]): LockSteps<void> {
  for (const directory of directories) {
    const found = lstatSync(directory, { throwIfNoEntry: false });
    if (found === undefined || !found.isDirectory() || !isOwn(found)) continue;
    if (yield* isAbandoned(directory)) ignoring(() => rmdirSync(directory));
  }
}

/** Lists the directories that locks of these paths have made, also those of processes killed while they took a lock. */
function entriesOf(paths: readonly string[]): string[] {
  const prefixes = new Set(paths.map((path) => basename(prefixOf(path))));
  const directory = dirname(paths[0] ?? "");
  const isEntry = (name: string): boolean => /^\.[0-9a-f]{8}\.(?:lock|\w{6})$/.test(name);
  try {
    const names = readdirSync(directory).filter(isEntry);
    return names.filter((name) => prefixes.has(name.slice(0, HASH_DIGITS + 2))).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/** Lists the lock objects for these paths, all in one directory: those in use, and those left over. */
export function lockResidue(...paths: readonly string[]): OsObject[] {
  return entriesOf(paths).flatMap((name) => {
    const found = lstatSync(name, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ kind: "path", name, mode: found.mode & 0o777 }];
  });
}

/** Removes what the locks of paths in one directory have left there; locks that are held or being taken stay. */
export async function sweepLocks(...paths: readonly string[]): Promise<void> {
  await runSteps(removeAbandoned(entriesOf(paths).filter(isFinal)));
}

/** Returns a prefix that is short, because without {@link DESCRIPTORS} the path of the socket inside has a limit. */
function prefixOf(path: string): string {
  return join(dirname(path), `.${createHash("sha256").update(basename(path)).digest("hex").slice(0, HASH_DIGITS)}.`);
}

/** @throws IpcError IPC_ADDRESS_IN_USE for an entry that is not ours, even if it could be renamed over, as root can */
function refuseForeign(entry: string, path: string, transport: string): void {
  const found = lstatSync(entry, { throwIfNoEntry: false });
  if (found === undefined || (found.isDirectory() && isOwn(found))) return;
  const what = isOwn(found) ? "is no directory" : `belongs to user ${found.uid}`;
  const message =
    `${transport}: ${entry}, the lock of ${path}, ${what}; ` +
    "remove it, or choose a directory that others may not write";
  throw new IpcError("IPC_ADDRESS_IN_USE", message, { transport, errno: "EADDRINUSE" });
}

function busy(entry: string, path: string, transport: string): IpcError {
  const message =
    `${transport}: another server has been starting at ${path} for ${WAIT_LIMIT_MS} ms; ` +
    `stop it first (its lock is ${entry})`;
  return new IpcError("IPC_ADDRESS_IN_USE", message, { transport, errno: "EADDRINUSE" });
}

/** Errnos if a lock is held, is no directory, is another user's, or was just removed; the next attempt decides. */
const NOT_NOW = ["ENOTEMPTY", "EEXIST", "ENOTDIR", "EACCES", "EPERM", "ENOENT"] as const;

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, fs.W_OK | fs.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isOwn({ uid }: { readonly uid: number }): boolean {
  return uid === process.geteuid?.();
}

function ignoring(work: () => void): void {
  try {
    work();
  } catch {
    // It is gone, taken over, or not ours: the next attempt finds out.
  }
}
