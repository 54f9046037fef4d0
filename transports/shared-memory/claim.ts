import { closeSync } from "node:fs";
import { IpcError, isIpcError } from "../contract/errors.ts";
import { tryLockExclusive } from "../posix/lock.ts";
import { checkName } from "../posix/names.ts";
import { withPathLockSync } from "../support/path-lock-sync.ts";
import { type RingKind, slotName } from "./kind.ts";
import { Control, SLOT_STATE_MASK, SlotState } from "./layout.ts";
import { leadsTo, openPlain, readHead, SEMAPHORE_PREFIX, type Segment, type State, unlinkSemaphore } from "./store.ts";

/**
 * Creates the control segment; clears the way first when a dead server's is there.
 *
 * @throws IpcError IPC_ADDRESS_IN_USE (a live server, or something that is not ours), IPC_SYSTEM
 */
export function claimName(kind: RingKind, name: string): Segment {
  checkNames(kind, name);
  return withPathLockSync(kind.store.path(name), kind.id, () => {
    try {
      return create(kind, name);
    } catch (error) {
      if (!isTaken(error)) throw error;
      removeStale(kind, name);
    }
    try {
      return create(kind, name);
    } catch (error) {
      // Taken by a program that does not use our lock.
      throw isTaken(error) ? inUse(kind, `${name} was taken meanwhile; choose another name`) : error;
    }
  });
}

function create(kind: RingKind, name: string): Segment {
  const control = kind.store.create(name, Control.bytes);
  control.mapping.words[Control.magicWord] = Control.begun;
  return control;
}

const isTaken = (error: unknown): boolean => isIpcError(error) && error.errno === "EEXIST";

export function inUse(kind: RingKind, what: string): IpcError {
  const details = { transport: kind.id, errno: "EADDRINUSE" };
  return new IpcError("IPC_ADDRESS_IN_USE", `${kind.id}: ${what}`, details);
}

/** Checks the names of clients too: an address whose own name alone fits would let nobody connect. */
function checkNames(kind: RingKind, name: string): void {
  const { store, wait, maxClients, id } = kind;
  try {
    store.path(name);
    const longest = slotName(name, maxClients - 1);
    // Files too: a part of a path may be as long as a POSIX name.
    checkName(`/${longest.slice(longest.lastIndexOf("/") + 1)}`);
    if (wait.usesSemaphores) checkName(store.semaphoreName(longest), SEMAPHORE_PREFIX.length);
  } catch (error) {
    if (!isIpcError(error) || error.errno !== "ENAMETOOLONG") throw error;
    const text = `${id}: ${name} is too long with the part that each client adds: ${error.message}`;
    throw new IpcError("IPC_SYSTEM", text, { transport: id, errno: "ENAMETOOLONG", cause: error });
  }
}

function removeStale(kind: RingKind, name: string): void {
  const notOurs = `something that is not ours is at ${name}; choose another name or remove it yourself`;
  const path = kind.store.path(name);
  const fd = openPlain(path, "r+");
  try {
    if (fd === undefined) {
      if (kind.store.inspect(name) === undefined) return;
      throw inUse(kind, notOurs);
    }
    if (!tryLockExclusive(fd)) throw inUse(kind, `a server is listening at ${name}; stop it first`);
    // Another server may have taken the name over before we had the lock, and would lose its own names now.
    if (!leadsTo(path, fd)) throw inUse(kind, `another server has just begun to listen at ${name}; stop it first`);
    const { magic, size } = readHead(fd);
    if (size === 0 || magic === Control.begun) removeSegment(kind, name);
    else if (magic === Control.magic && size >= Control.bytes) removeWithSlots(kind, name);
    else throw inUse(kind, notOurs);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function removeWithSlots(kind: RingKind, name: string): void {
  const control = kind.store.open(name, Control.bytes);
  try {
    removeClaimed(kind, control);
  } finally {
    control.close();
  }
}

/**
 * Removes what a server and its clients made, and nothing else: others may have names that look like those of slots.
 * The address goes last, so that a process killed meanwhile leaves something that the next server recognises.
 */
export function removeClaimed(kind: RingKind, control: Segment): void {
  for (let slot = 0; slot < kind.maxClients; slot++) {
    const state = Atomics.load(control.mapping.words, Control.firstSlotWord + slot) & SLOT_STATE_MASK;
    // The names of accepted clients are gone, and so are the others', except while they are being opened.
    const isOpening = state === SlotState.claimed || state === SlotState.ready;
    removeSlot(kind, control.name, slot, isOpening ? "claimed" : "finished");
  }
  removeSegment(kind, control.name);
}

function removeSegment(kind: RingKind, name: string): void {
  if (kind.wait.usesSemaphores) unlinkSemaphore(kind.store.semaphoreName(name));
  kind.store.unlink(name);
}

/** Removes a slot's names. Never fails: what a client left, or others put there, is no error of the server. */
export function removeSlot(kind: RingKind, name: string, slot: number, state: State): void {
  const { store, wait } = kind;
  const each = slotName(name, slot);
  try {
    const semaphore = wait.usesSemaphores ? store.semaphoreName(each) : undefined;
    // A semaphore has no mark. It goes first, so that a process killed in between leaves a segment that points to it.
    if (semaphore !== undefined && state !== "finished") unlinkSemaphore(semaphore);
    if (store.unlink(each, state) && semaphore !== undefined) unlinkSemaphore(semaphore);
  } catch (error) {
    if (!isIpcError(error)) throw error;
  }
}

/** Removes all names that an address can stand for, after a crash. Idempotent. */
export function removeNames(kind: RingKind, name: string): void {
  const { store, wait, maxClients } = kind;
  const names = [...Array.from({ length: maxClients }, (_, slot) => slotName(name, slot)), name];
  for (const each of names) {
    if (wait.usesSemaphores) unlinkSemaphore(store.semaphoreName(each));
    store.unlink(each);
  }
}
