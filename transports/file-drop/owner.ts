import { closeSync, openSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IpcError } from "../contract/errors.ts";
import { errnoOf, isGone, listNames, removeAnything, removeEmptyFolders, removeFile, writeAll } from "./files.ts";
import type { Layout } from "./names.ts";

/** `server.json`: whose the drop is. */
export interface Owner {
  readonly pid: number;
  /** Start time in clock ticks since boot where the system tells it: a process id alone is used again after a while. */
  readonly startTime: string | null;
  /** Grows from server to server, so that responses of a successor sort behind those of its predecessor. */
  readonly epoch: number;
}

/** A file of zero bytes belongs to a server that is between creating and writing it: so long it may take. */
const WRITING_MS = 500;

/** Takes the drop. @throws IpcError IPC_ADDRESS_IN_USE when its server lives. */
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
    // The disk is full: the name alone would keep others waiting, and stay for ever.
    removeFile(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** undefined: nobody. A file that stays unreadable counts as a dead server's. */
async function readOwner(layout: Layout): Promise<Owner | undefined> {
  const deadline = performance.now() + WRITING_MS;
  for (;;) {
    // Before the look: one that was stopped meanwhile looks once more.
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

/** Moves a dead server's mark away. Two servers may try at once: the one that moved a living one's mark puts it back. */
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
  // What it was writing when it died: temporary names begin with the process id.
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

/** Leaves a living server's folders alone: its watches would end with them. */
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
  // A zombie answers signals too, and holds nothing any more.
  return running.startTime === owner.startTime && running.state !== "Z" && running.state !== "X";
}

/** From /proc/<pid>/stat (proc(5)): fields after the parenthesised name, of which the third is the state, the 22nd the start. */
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
