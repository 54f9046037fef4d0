import { closeSync, openSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IpcError } from "../contract/errors.ts";
import { errnoOf, isGone, listNames, removeAnything, removeEmptyFolders, removeFile, writeAll } from "./files.ts";
import type { Layout } from "./names.ts";

/** `server.json`: the process that serves the drop. */
export interface Owner {
  readonly pid: number;
  /** Start time in clock ticks since boot, if the system shows it; process ids are reused. */
  readonly startTime: string | null;
  /** Grows from server to server, so that responses of a successor sort behind those of its predecessor. */
  readonly epoch: number;
}

/** Longest time between creating and writing a server's file, ms; meanwhile the file is empty. */
const WRITING_MS = 500;

/** Makes this process the server of the drop. @throws IpcError IPC_ADDRESS_IN_USE if another server lives */
export async function takeOwnership(layout: Layout, transport: string): Promise<Owner> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const found = await readOwner(layout);
    if (found !== undefined && isAlive(found)) throw inUse(layout, transport, found);
    if (found !== undefined) discard(layout, found, transport);
    const owner = {
      pid: process.pid,
      startTime: startTimeOf(process.pid)?.startTime ?? null,
      epoch: Math.max(Date.now(), (found?.epoch ?? 0) + 1),
    };
    if (create(layout.owner, owner)) return owner;
  }
  throw new IpcError("IPC_ADDRESS_IN_USE", `${transport}: other servers keep taking ${layout.base}`, { transport });
}

function create(path: string, owner: Owner): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, "wx", 0o600);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
  try {
    writeAll(descriptor, Buffer.from(`${JSON.stringify(owner)}\n`));
    return true;
  } catch (error) {
    // The disk is full. The empty file would stay for ever and make others wait.
    removeFile(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Returns undefined if the drop has no owner. If the file stays unreadable, its server counts as dead. */
async function readOwner(layout: Layout): Promise<Owner | undefined> {
  const deadline = performance.now() + WRITING_MS;
  for (;;) {
    // Taken before the read, so that a process stopped in between reads once more.
    const late = performance.now() > deadline;
    try {
      const value: unknown = JSON.parse(readFileSync(layout.owner, "utf8"));
      if (isOwner(value)) return value;
    } catch (error) {
      if (isGone(error)) return undefined;
    }
    if (late) return { pid: 0, startTime: null, epoch: 0 };
    await delay(20);
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== "object" || value === null) return false;
  const { pid, epoch } = value as Partial<Owner>;
  return Number.isSafeInteger(pid) && Number.isSafeInteger(epoch);
}

/** Moves a dead server's file away. Two servers may try at once: one that moved a live server's file puts it back. */
function discard(layout: Layout, dead: Owner, transport: string): void {
  const aside = join(layout.temporary, `owner-${process.pid}-${process.hrtime.bigint()}`);
  try {
    renameSync(layout.owner, aside);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  const moved = parseOwner(aside);
  if (moved !== undefined && moved.epoch !== dead.epoch && isAlive(moved)) {
    renameSync(aside, layout.owner);
    throw inUse(layout, transport, moved);
  }
  removeFile(aside);
  // Files that the server was writing when it died: temporary names begin with the process id.
  for (const file of listNames(layout.temporary)) {
    if (file.startsWith(`${dead.pid}-`)) removeAnything(join(layout.temporary, file));
  }
}

function parseOwner(path: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isOwner(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function releaseOwnership(layout: Layout, owner: Owner): void {
  if (parseOwner(layout.owner)?.epoch === owner.epoch) removeFile(layout.owner);
}

export function hasLivingOwner(layout: Layout): boolean {
  const owner = parseOwner(layout.owner);
  return owner !== undefined && isAlive(owner);
}

/** Removes unused folders. Those of a live server stay, because its watches would end with them. */
export function removeUnusedFolders(layout: Layout): void {
  if (!hasLivingOwner(layout)) removeEmptyFolders(layout);
}

function isAlive(owner: Owner): boolean {
  if (owner.pid <= 0) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
  }
  const running = startTimeOf(owner.pid);
  if (running === undefined || owner.startTime === null) return true;
  // A zombie answers signals too, but holds nothing any more.
  return running.startTime === owner.startTime && running.state !== "Z" && running.state !== "X";
}

/** Reads /proc/<pid>/stat (proc(5)): behind the parenthesised name, field 3 is the state and 22 the start time. */
function startTimeOf(pid: number): { readonly state: string; readonly startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTime] = [fields[0], fields[19]];
    return state === undefined || startTime === undefined ? undefined : { state, startTime };
  } catch {
    return undefined;
  }
}

function inUse(layout: Layout, transport: string, owner: Owner): IpcError {
  const message = `${transport}: process ${owner.pid} serves ${layout.base}; stop it or choose another folder`;
  return new IpcError("IPC_ADDRESS_IN_USE", message, { transport });
}
