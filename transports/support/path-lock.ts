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

/** Longest wait for the lock. Holding it takes a few system calls, so one that stays busy this long is broken. */
const WAIT_LIMIT_MS = 2000;
const RETRY_MS = 3;
const HASH_DIGITS = 8;
/** Characters that `mkdtemp` puts behind the prefix. */
const SUFFIX_CHARACTERS = 6;
/** Linux names what lies in an open directory through here: no path is too long, and none can be exchanged. */
const DESCRIPTORS = "/proc/self/fd";
const HAS_DESCRIPTORS = existsSync(DESCRIPTORS);

/**
 * Steps of taking a lock, for callers with and without an event loop. A string asks whether somebody listens at that
 * path; a number asks to wait that many milliseconds.
 */
export type LockSteps<Result> = Generator<string | number, Result, boolean>;

/**
 * Runs `work` while no other process that uses this function, or `withPathLockSync`, does so for the same path. Two
 * servers could otherwise both find that nobody answers there, and both believe that they took over a stale path.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE when it stays busy or the entry of the lock is another user's, IPC_SYSTEM
 */
export async function withPathLock<T>(path: string, transport: string, work: () => Promise<T>): Promise<T> {
  // Throws ENOENT, which libuv replaces: the server would get EACCES.
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
 * Takes the lock of a path. It is a directory beside the path that holds one socket on which its owner listens. So only
 * those who may write there can take it, in whatever namespace they are, and the kernel ends it with its owner.
 *
 * Everybody prepares a directory with a listening socket and renames it onto the entry. That succeeds where there is no
 * entry or an empty one. A socket in the entry that refuses is a dead owner's. It is removed by its name, which nobody
 * else will ever have, so that a slow newcomer cannot remove the socket of a living owner.
 *
 * @returns the function that releases it
 */
export function* takePathLock(path: string, transport: string): LockSteps<() => void> {
  const entry = `${prefixOf(path)}lock`;
  const untilMs = performance.now() + WAIT_LIMIT_MS;
  // Nobody can start a server in such a directory, and the server's own error is clearer than one of the lock.
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

/** A listening socket in a private directory, and a descriptor of that. */
class Claim {
  readonly #name: string;
  readonly #inside: OwnDirectory;
  readonly #server: Server;

  private constructor(inside: OwnDirectory) {
    this.#inside = inside;
    this.#name = inside.path.slice(-SUFFIX_CHARACTERS);
    this.#server = createServer((socket) => socket.destroy());
    // The error comes a turn later; `listening` shows it at once.
    this.#server.on("error", () => undefined);
    this.#server.listen({ path: inside.at(this.#name), exclusive: true }).unref();
  }

  /** Returns undefined when another process removed it before it listened. @throws IpcError IPC_SYSTEM */
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
    // Throws the reason where no descriptor is left.
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
    // Another process may have moved its claim here by now: then it is not empty.
    ignoring(() => rmdirSync(this.#inside.path));
  }
}

/** An open directory of this user: exchanging its name cannot lead elsewhere what happens in it. */
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
    // Its owner may have removed it by now.
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

/** Removes the sockets in it that nobody listens on. @returns true when nobody listens on any */
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

/** True when a silent claim is abandoned for sure: its maker would listen by now. An entry has listened before. */
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

/** Lists what the locks of paths in one directory have there, also from processes killed while they took one. */
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

/** Lists what the locks of paths in one directory have left there, or hold now. */
export function lockResidue(...paths: readonly string[]): OsObject[] {
  return entriesOf(paths).flatMap((name) => {
    const found = lstatSync(name, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ kind: "path", name, mode: found.mode & 0o777 }];
  });
}

/** Removes what the locks of paths in one directory have left there; held ones and those being taken stay. */
export async function sweepLocks(...paths: readonly string[]): Promise<void> {
  await runSteps(removeAbandoned(entriesOf(paths).filter(isFinal)));
}

/** Returns a short prefix: without {@link DESCRIPTORS} the path of the socket below it has to fit. */
function prefixOf(path: string): string {
  return join(dirname(path), `.${createHash("sha256").update(basename(path)).digest("hex").slice(0, HASH_DIGITS)}.`);
}

/** @throws IpcError IPC_ADDRESS_IN_USE; also when renaming over it would succeed, as root's does */
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

/** Errnos where a lock is held, is no directory, is another user's, or was just removed; the next attempt decides. */
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
    // Gone, taken over, or not ours: the next attempt finds out.
  }
}
