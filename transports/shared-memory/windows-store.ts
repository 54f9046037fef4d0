import { statSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { IpcError, isIpcError } from "../contract/errors.ts";
import type { Availability, OsObject, Place } from "../contract/transport.ts";
import { MappedFile } from "../posix/mapped-file.ts";
import type { SharedView } from "../posix/mapping.ts";
import { createHash, randomBytes } from "../support/crypto.ts";
import { distinctName } from "../support/distinct-name.ts";
import { ERROR_FILENAME_EXCED_RANGE, ERROR_INVALID_NAME, windowsError } from "../windows/errors.ts";
import { windowsAvailability } from "../windows/kernel32.ts";
import { LifeSign, withMutex } from "../windows/mutex.ts";
import { Section } from "../windows/section.ts";
import { Semaphore } from "../windows/semaphore.ts";
import { Control, MAKER_WORD } from "./layout.ts";
import { isOurs, type Refusal, type Segment, type State, type Store } from "./store.ts";

/** Prefix of names that are valid in the session of one user. */
const SESSION = "Local\\";
const MAX_NAME_CHARACTERS = 259;
const LOCK_LIMIT_MS = 2000;
const MAKER_BYTES = 8;

/**
 * A section with a sign that its maker lives. The maker puts random words into the section, and the sign is an object
 * named by them. So clients of a dead maker notice its death even if another server takes the section over.
 */
class WindowsSegment implements Segment {
  readonly name: string;
  readonly mapping: SharedView;
  readonly #section: Section;
  readonly #onClose: (state: State) => void;
  #sign: LifeSign | undefined;
  #maker: string;

  constructor(name: string, section: Section, onClose: (state: State) => void) {
    this.name = name;
    this.mapping = section.mapping;
    this.#section = section;
    this.#onClose = onClose;
    const at = 4 * MAKER_WORD;
    this.#maker = Buffer.from(this.mapping.bytes.slice(at, at + MAKER_BYTES)).toString("hex");
  }

  /** Makes this process the maker. */
  take(): this {
    const bytes = randomBytes(MAKER_BYTES);
    this.#maker = bytes.toString("hex");
    this.#sign = new LifeSign(this.nameOf("alive"));
    this.mapping.bytes.set(bytes, 4 * MAKER_WORD);
    return this;
  }

  get isOwned(): boolean {
    return LifeSign.isThere(this.nameOf("alive"));
  }

  /** Returns the name of an object that belongs to the segment. */
  nameOf(object: "alive" | "wake"): string {
    return objectName(this.name, this.#maker, object);
  }

  close(): void {
    if (this.mapping.closed) return;
    this.#section.close();
    this.#sign?.close();
    this.#onClose(this.#sign === undefined ? "finished" : "any");
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const objectName = (name: string, maker: string, object: string): string =>
  `${SESSION}${basename(name)}.${maker}.${object}`;

/** Calls in which the two kinds of segments differ. */
interface SectionKind {
  readonly create: (name: string, byteLength: number) => Section;
  readonly open: (name: string) => Section;
  readonly unlink: (name: string, state?: State) => boolean;
  readonly inspect: Store["inspect"];
  readonly allocate: (place: Place) => string;
  readonly isName: (name: string) => boolean;
}

/**
 * Names go with the last process that has the segment open: by themselves, or because each process that closes a file
 * tries to delete it, which Windows refuses while another has it open. So names need no removal, but cannot be removed.
 */
class WindowsStore implements Store {
  /** Our Python peers call the C library of Linux. */
  readonly languages: readonly string[] = ["c"];
  readonly #kind: SectionKind;

  constructor(kind: SectionKind) {
    this.#kind = kind;
  }

  availability(): Availability {
    return windowsAvailability();
  }

  allocate(place: Place): string {
    return this.#kind.allocate(place);
  }

  create(name: string, byteLength: number): WindowsSegment {
    return this.#segment(name, this.#kind.create(name, byteLength)).take();
  }

  open(name: string, minimumBytes: number): WindowsSegment {
    const segment = this.#segment(name, this.#kind.open(name));
    const { byteLength } = segment.mapping;
    if (byteLength >= minimumBytes) return segment;
    segment.close();
    throw new IpcError("IPC_MALFORMED", `${name} has ${byteLength} bytes, expected at least ${minimumBytes}`);
  }

  #segment(name: string, section: Section): WindowsSegment {
    return new WindowsSegment(name, section, (state) => {
      try {
        this.#kind.unlink(name, state);
      } catch (error) {
        // What cannot be deleted is left for a sweep: a server must not end because one of its clients has left.
        if (!isIpcError(error)) throw error;
      }
    });
  }

  adopt(name: string, refuse: Refusal): Segment {
    let segment: WindowsSegment;
    try {
      segment = this.open(name, Control.bytes);
    } catch (error) {
      // The last process has closed it meanwhile, or the server died before its file had a size.
      const isGone = isIpcError(error) && error.code === "IPC_PEER_LOST";
      const isEmpty = isIpcError(error) && error.code === "IPC_MALFORMED";
      if (isGone || (isEmpty && this.unlink(name))) return this.#begun(this.create(name, Control.bytes));
      throw isEmpty ? refuse("foreign") : error;
    }
    const magic = segment.mapping.words[Control.magicWord];
    const isServers = magic === Control.magic || magic === Control.begun;
    if (isServers && !segment.isOwned) return this.#begun(segment).take();
    segment.close();
    throw refuse(isServers ? "live" : "foreign");
  }

  #begun(segment: WindowsSegment): WindowsSegment {
    segment.mapping.words[Control.magicWord] = Control.begun;
    return segment;
  }

  isOwned(segment: Segment): boolean {
    return (segment as WindowsSegment).isOwned;
  }

  isNamed(): boolean {
    return true;
  }

  isBeingMade(): boolean {
    return false;
  }

  unlink(name: string, state?: State): boolean {
    return this.#kind.unlink(name, state);
  }

  inspect(name: string): OsObject | undefined {
    return this.#kind.inspect(name);
  }

  semaphore(segment: Segment, create: boolean): Semaphore {
    return Semaphore[create ? "create" : "open"]((segment as WindowsSegment).nameOf("wake"));
  }

  unlinkSemaphore(): boolean {
    return false;
  }

  /** Returns nothing: the semaphore is there if, and only if, a process has its segment open. */
  inspectSemaphore(): undefined {
    return undefined;
  }

  checkName(name: string): void {
    if (!this.#kind.isName(name)) throw windowsError(ERROR_INVALID_NAME, "CreateFileMapping", name);
    const longest = objectName(name, "0".repeat(2 * MAKER_BYTES), "alive");
    if (longest.length > MAX_NAME_CHARACTERS) throw windowsError(ERROR_FILENAME_EXCED_RANGE, "CreateMutex", longest);
  }

  withLock<T>(name: string, transport: string, work: () => T): T {
    const lock = `${SESSION}ipcmark-lock-${createHash("sha256").update(name.toLowerCase()).digest("hex")}`;
    const done = withMutex(lock, LOCK_LIMIT_MS, work);
    if (done !== undefined) return done.result;
    const busy = `another server has been starting at ${name} for ${LOCK_LIMIT_MS} ms; choose another name`;
    throw new IpcError("IPC_ADDRESS_IN_USE", `${transport}: ${busy}`, { transport, errno: "EADDRINUSE" });
  }

  lockResidue(): readonly OsObject[] {
    return [];
  }

  async sweepLocks(): Promise<void> {}
}

/** Sections of the paging file, by name. */
export const sectionStore: Store = new WindowsStore({
  create: (name, byteLength) => Section.create(name, byteLength),
  open: (name) => Section.open(name),
  unlink: () => false,
  inspect: (name) => (Section.exists(name) ? { kind: "shm", name } : undefined),
  allocate: ({ prefix }) => `${SESSION}${prefix}-${distinctName()}`,
  isName: (name) => name.startsWith(SESSION) && /^[^\\\0]+$/.test(name.slice(SESSION.length)),
});

/** Sections of files, by path. */
export const windowsFileStore: Store = new WindowsStore({
  create: (path, byteLength) => Section.createFile(path, byteLength),
  open: (path) => Section.openFile(path),
  unlink: unlinkUnused,
  inspect: (name) => (statSync(name, { throwIfNoEntry: false }) === undefined ? undefined : { kind: "path", name }),
  allocate: ({ directory, prefix }) => join(directory, `${prefix}-${distinctName()}`),
  isName: (path) => isAbsolute(path) && !path.includes("\0"),
});

/** Errnos of a file that another process has open, or deletes at the same time. */
const IN_USE_OR_GONE = ["EACCES", "EBUSY", "ENOENT", "EPERM"];

/** Deletes a file of ours that no process has open. */
function unlinkUnused(path: string, state?: State): boolean {
  try {
    return isOurs(path, state) && MappedFile.unlink(path);
  } catch (error) {
    if (isIpcError(error) && IN_USE_OR_GONE.includes(error.errno ?? "")) return false;
    throw error;
  }
}
